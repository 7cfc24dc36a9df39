import type { IndexMark, Removal, TokenStore } from '../core/tokens/store.ts'
import { AuthError } from '../errors.ts'
import { createAgain } from './redis/again.ts'
import { checkServer } from './redis/check.ts'
import { connect, type RedisClient, type RedisCommands } from './redis/connection.ts'
import { createDangling } from './redis/dangling.ts'
import { createEnds } from './redis/ends.ts'
import { explaining } from './redis/failure.ts'
import { createIndexes } from './redis/indexes.ts'
import { insert, type Parts } from './redis/insert.ts'
import { createKeys } from './redis/keys.ts'
import { list } from './redis/list.ts'
import { currentValueIn } from './redis/record.ts'
import { createRecords } from './redis/records.ts'
import { remove } from './redis/remove.ts'
import { removeAll } from './redis/remove-all.ts'
import { replace } from './redis/replace.ts'
import { CLAIM } from './redis/scripts.ts'
import type { Space } from './redis/space.ts'
import { sweep } from './redis/sweep.ts'

export type { RedisClient } from './redis/client.ts'

/** What {@link redisStore} may be told. */
export interface RedisStoreOptions {
  /** What the names of all its keys begin with. Default `coatcheck:`. */
  readonly prefix?: string
  /**
   * A sign-out is only answered when so many replicas have it (WAIT), and fails, to be done again,
   * where they have not within a second. Default 0: then a failover within moments of a sign-out
   * can bring a session back until the process that answered it has reconnected (decision 009).
   */
  readonly confirmReplicas?: number
  /** The clock, in milliseconds since the epoch. Default: the server's. For tests. */
  readonly now?: () => number
}

/** How long replicas may take to confirm, in milliseconds. */
const CONFIRM_WITHIN = 1_000

/**
 * Keeps records in a Redis (6.2 or later) or Valkey, alone, behind Sentinels or as a Cluster:
 * `redisStore(client)` with a client of node-redis or ioredis. Throws a `TypeError` for any other.
 * Its first call rejects `store_unusable` where the server cannot keep the promise.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): TokenStore {
  const connection = connect(client)
  const keys = createKeys(options.prefix ?? 'coatcheck:')
  const explained = explaining(connection)
  const replicas = checkReplicas(options.confirmReplicas ?? 0)
  const clock = options.now
  const now = clock ?? (() => Date.now())
  const given = (): string => (clock === undefined ? '' : String(clock()))
  const again = createAgain()
  connection.onReconnected(() => {
    // It may be another server now, or one whose role or settings have changed.
    isChecked = false
    again.run()
  })
  // Without a listener a lost connection would end the process, and what it owes with it.
  client.on('error', toldByTheCall)
  let isChecked = false
  let checking: Promise<void> | undefined

  function partsOver(commands: RedisCommands): Parts {
    const isSpread = connection.kind === 'cluster'
    const space: Space = { connection: commands, keys, now, given, isSpread }
    return {
      space,
      indexes: createIndexes(space),
      records: createRecords(space),
      ends: createEnds(space),
    }
  }

  const parts = partsOver(connection)
  const dangling = createDangling(parts, now)

  async function ready(): Promise<void> {
    if (isChecked) return
    checking ??= check().finally(() => {
      checking = undefined
    })
    await checking
  }

  async function check(): Promise<void> {
    await checkServer(connection, keys)
    isChecked = true
  }

  /** Removes, and resolves when as many replicas as wanted have it. */
  async function confirmed<T>(removal: (parts: Parts) => Promise<T>): Promise<T> {
    await ready()
    if (replicas === 0) return removal(parts)
    const writes = connection.follow()
    const answer = await removal(partsOver(writes))
    try {
      await writes.confirm(replicas, CONFIRM_WITHIN)
    } catch (cause) {
      throw new AuthError(
        'store_unavailable',
        `Not ${replicas} Redis replicas have confirmed a sign-out within ${CONFIRM_WITHIN} ms: it ` +
          'will be done again. Look after the replicas, or lower `confirmReplicas`.',
        { cause },
      )
    }
    return answer
  }

  /** By itself, so that it holds on to nothing else of the removal that it repeats. */
  function finishing(marks: readonly IndexMark[], removal: Removal): () => Promise<void> {
    return async () => {
      while ((await removeAll(parts, marks, removal)).more);
    }
  }

  return {
    now: explained(async () => {
      if (clock !== undefined) return clock()
      const answer = await connection.send(keys.format, ['TIME'])
      const [seconds, microseconds] = Array.isArray(answer) ? answer.map(Number) : []
      return Math.floor(Number(seconds) * 1000 + Number(microseconds) / 1000)
    }),

    get: explained(async (id) => {
      if (!isChecked) await ready()
      const bytes = await parts.records.bytes(id)
      return bytes && currentValueIn(bytes, now())
    }),

    insert: explained(async (id, record) => {
      await ready()
      return insert(parts, id, record)
    }),

    replace: explained(async (id, previous, next) => {
      await ready()
      return replace(parts, id, previous, next)
    }),

    remove: explained(async (id, owe) => {
      const removed = await confirmed((over) => remove(over, id, owe))
      if (removed !== undefined) again.remember(() => remove(parts, id, owe))
      return removed
    }),

    removeAll: explained(async (marks, removal) => {
      const step = await confirmed((over) => removeAll(over, marks, removal))
      if (!step.more) {
        again.remember(finishing(marks, { ...removal, resumed: true, known: [] }))
      }
      return step
    }),

    list: explained(async (index, page) => {
      await ready()
      return list(parts, dangling, now, index, page)
    }),

    claim: explained(async (name, until) => {
      await ready()
      return (await connection.run(CLAIM, [keys.claim(name)], [given(), String(until)])) === 1
    }),

    sweep: explained(async (owe, limit) => {
      await ready()
      return sweep(parts, now, owe, limit)
    }),

    isEmpty: explained(async () => {
      await ready()
      const noted = await parts.ends.some()
      const found = await Promise.all(noted.map((id) => parts.records.bytes(id)))
      return found.every((bytes) => bytes === undefined)
    }),

    async close() {
      connection.close()
      client.off('error', toldByTheCall)
      again.close()
    },
  }
}

function toldByTheCall(): void {
  // Every call that fails for it says so to its caller.
}

function checkReplicas(replicas: number): number {
  if (Number.isInteger(replicas) && replicas >= 0) return replicas
  throw new TypeError('`confirmReplicas` of redisStore is a number of replicas, such as 1.')
}
