import type { TokenStore } from '../core/tokens/store.ts'
import { connect, type RedisClient } from './redis/connection.ts'
import { createEnds } from './redis/ends.ts'
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
  /** The clock, in milliseconds since the epoch. Default: the server's. For tests. */
  readonly now?: () => number
}

/**
 * Keeps records in a Redis or Valkey, alone, behind Sentinels or as a Cluster:
 * `redisStore(client)` with a client of node-redis or ioredis. Throws a `TypeError` for any other.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): TokenStore {
  const connection = connect(client)
  const keys = createKeys(options.prefix ?? 'coatcheck:')
  const clock = options.now
  const now = clock ?? (() => Date.now())
  const space: Space = { connection, keys, now, given: clock ? () => String(clock()) : () => '' }
  const parts: Parts = {
    indexes: createIndexes(space),
    records: createRecords(space),
    ends: createEnds(space),
  }

  return {
    async now() {
      if (clock !== undefined) return clock()
      const answer = await connection.send(keys.format, ['TIME'])
      const [seconds, microseconds] = Array.isArray(answer) ? answer.map(Number) : []
      return Math.floor(Number(seconds) * 1000 + Number(microseconds) / 1000)
    },

    async get(id) {
      const key = keys.record(id)
      const bytes = await connection.send(key, ['GET', key])
      return Buffer.isBuffer(bytes) ? currentValueIn(bytes, now()) : undefined
    },

    insert: (id, record) => insert(parts, id, record),
    replace: (id, previous, next) => replace(parts, id, previous, next),
    remove: (id, owe) => remove(parts, id, owe),
    removeAll: (marks, removal) => removeAll(parts, marks, removal),
    list: (index, page) => list(parts, now, index, page),

    async claim(name, until) {
      const args = [space.given(), String(until)]
      return (await connection.run(CLAIM, [keys.claim(name)], args)) === 1
    },

    sweep: (owe, limit) => sweep(parts, now, owe, limit),

    async close() {
      // Nothing was started, and the client is the application's.
    },
  }
}
