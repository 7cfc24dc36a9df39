import type { Ended, Place } from '../places.ts'
import { connect, type RedisClient, type RedisConnection } from '../stores/redis/connection.ts'
import { accountsInClaims } from './accounts.ts'
import { glanceAt } from './filter.ts'
import { scanKeys } from './scan.ts'
import { type TakenOut, takeOut } from './take-out.ts'

/** What {@link msalRemains} may be told. */
export interface MsalRemainsOptions {
  /**
   * Which keys to look into, as patterns of Redis (`MATCH`): `['MyApp_*']` for an ASP.NET Core
   * application with that `InstanceName`. `{account}` in one stands for the home account id; a
   * pattern without any wildcard then is looked up and not scanned for.
   */
  readonly keys: readonly string[]
  /** The place's name in receipts and events. Default `msal`. */
  readonly name?: string
  /**
   * The home account ids (`uid.utid`) of who was signed out. Default: `oid.tid` of each session's
   * claims, which is right for users of the application's own tenant and not for guests.
   */
  readonly accounts?: (ended: Ended) => Iterable<string> | Promise<Iterable<string>>
  /** How long one attempt may take; then it is made again later. Default 30. */
  readonly withinSeconds?: number
  /** Hears what an attempt found. */
  readonly observe?: (found: MsalRemainsFound) => void
}

/** What one attempt of {@link msalRemains} found. It names nobody. */
export interface MsalRemainsFound {
  /** Of the sign-out. */
  readonly receipt: string
  /** How many home account ids were looked for; with 0 nothing was looked at. */
  readonly accounts: number
  /** Keys that were looked into. */
  readonly keys: number
  /** Entries that held nobody else's tokens: they are gone. */
  readonly removed: number
  /** Entries that hold something else: only what was of these accounts was taken out. */
  readonly changed: number
  /** Entries that are encrypted or in an unknown form: they are as they were. */
  readonly unreadable: number
}

/**
 * Removes at sign-out, from a Redis, what Microsoft's libraries keep there of the user:
 * Microsoft.Identity.Web with its distributed cache, MSAL Node, MSAL Python, MSAL Java. Entries
 * are found by the `home_account_id` in them and by nothing else.
 *
 * It does not reach what a process has in memory, nor entries that are encrypted (`Encrypt` of
 * Microsoft.Identity.Web), nor what is written while it looks. A cache of these libraries is one of
 * a user, not of a session: with one session the tokens of the user's others go too.
 *
 * Throws a `TypeError` that says what to write.
 */
export function msalRemains(client: RedisClient, options: MsalRemainsOptions): Place {
  const { keys, name, accounts, within, observe } = check(client, options)
  return {
    name,
    async end(ended, signal) {
      const wanted = new Set([...(await accounts(ended))].filter((account) => account !== ''))
      const found = { receipt: ended.receipt, accounts: wanted.size, keys: 0, removed: 0 }
      const counts = { ...found, changed: 0, unreadable: 0 }
      if (wanted.size > 0) {
        const tooLong = AbortSignal.timeout(within)
        const either = AbortSignal.any([signal, tooLong])
        const work = takeOutAll(client, keys, wanted, either, (did) => {
          counts.keys += 1
          if (did !== 'nothing') counts[did] += 1
        })
        await orAborted(work, either).catch((error: unknown) => {
          throw tooLong.aborted ? notInTime(within) : error
        })
      }
      tell(observe, counts)
      return wanted.size === 0 ? undefined : counts.removed + counts.changed
    },
  }
}

/** What is removed stays removed, whatever an observer does. */
function tell(observe: MsalRemainsOptions['observe'], found: MsalRemainsFound): void {
  try {
    observe?.(found)
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error), 'CoatcheckObserver')
  }
}

/** Finds what is theirs under the patterns and takes it out. */
async function takeOutAll(
  client: RedisClient,
  patterns: readonly string[],
  accounts: ReadonlySet<string>,
  signal: AbortSignal,
  count: (did: TakenOut) => void,
): Promise<void> {
  const connection = until(signal, connect(client))
  const lowerCase = new Set([...accounts].map((account) => account.toLowerCase()))
  const seen = new Set<string>()
  const isNew = (key: Buffer): boolean => {
    const name = key.toString('latin1')
    return !seen.has(name) && seen.add(name) !== undefined
  }
  const look = async (page: readonly Buffer[]): Promise<void> => {
    const keys = page.filter(isNew)
    if (keys.length === 0) return
    const glances = await glanceAt(connection, keys, lowerCase)
    for (const [at, key] of keys.entries()) {
      const glance = glances[at] ?? 'nothing'
      count(glance === 'worth_reading' ? await takeOut(connection, key, lowerCase, signal) : glance)
    }
  }
  try {
    for (const pattern of patternsFor(patterns, new Set([...accounts, ...lowerCase]))) {
      if ('key' in pattern) await look([Buffer.from(pattern.key)])
      else for await (const page of scanKeys(connection, pattern.match)) await look(page)
    }
  } finally {
    connection.close()
  }
}

type Pattern = { readonly match: string } | { readonly key: string }

/** Those that name an account name one at a time, in the spellings in which libraries write it. */
function patternsFor(patterns: readonly string[], accounts: ReadonlySet<string>): Pattern[] {
  return patterns.flatMap((pattern): Pattern[] => {
    if (!pattern.includes(ACCOUNT)) return [{ match: pattern }]
    const isScanned = WILDCARD.test(pattern)
    return [...accounts].map((account) =>
      isScanned
        ? { match: pattern.replaceAll(ACCOUNT, () => account.replace(/[*?[\]\\^]/g, '\\$&')) }
        : { key: pattern.replaceAll(ACCOUNT, () => account) },
    )
  })
}

const ACCOUNT = '{account}'
const WILDCARD = /[*?[\\]/

/** Commands that are not begun when nobody waits for them any longer. */
function until(signal: AbortSignal, connection: RedisConnection): RedisConnection {
  return {
    ...connection,
    async send(key, command) {
      signal.throwIfAborted()
      return connection.send(key, command)
    },
    async run(script, keys, args) {
      signal.throwIfAborted()
      return connection.run(script, keys, args)
    },
  }
}

/** Rejects when the signal fires, whatever the work waits for then. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = withReject()
  const give = (): void => reject(signal.reason)
  signal.addEventListener('abort', give)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', give)
  }
}

function withReject(): {
  readonly promise: Promise<never>
  readonly reject: (why: unknown) => void
} {
  let reject: (why: unknown) => void = () => undefined
  const promise = new Promise<never>((_, no) => {
    reject = no
  })
  return { promise, reject }
}

function notInTime(within: number): Error {
  return new Error(
    `msalRemains has not looked through all keys within ${within / 1000} seconds: write \`keys\` ` +
      'with `{account}` and without wildcards, or give it more `withinSeconds`.',
  )
}

interface Checked {
  readonly keys: readonly string[]
  readonly name: string
  readonly accounts: NonNullable<MsalRemainsOptions['accounts']>
  readonly within: number
  readonly observe: MsalRemainsOptions['observe']
}

function check(client: RedisClient, options: MsalRemainsOptions): Checked {
  try {
    connect(client).close()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new TypeError(error.message.replaceAll('redisStore', 'msalRemains'), { cause: error })
  }
  const { keys, name = 'msal', accounts = accountsInClaims, withinSeconds = 30, observe } = options
  if (!Array.isArray(keys) || keys.length === 0 || !keys.every(isText)) {
    throw new TypeError("msalRemains needs `keys`: patterns such as ['MyApp_*'].")
  }
  if (!/^[a-z0-9-]+$/.test(name)) {
    throw new TypeError('`name` of msalRemains is lower-case letters, digits and hyphens.')
  }
  if (!(Number.isFinite(withinSeconds) && withinSeconds > 0)) {
    throw new TypeError('`withinSeconds` of msalRemains is a number of seconds, such as 30.')
  }
  return { keys, name, accounts, within: withinSeconds * 1000, observe }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
