import type { RedisConnection } from '../stores/redis/connection.ts'
import { valueWithout, type Without } from './entry.ts'
import { scanFields } from './scan.ts'

/** What {@link takeOut} did about one key. */
export type TakenOut = 'nothing' | 'removed' | 'changed' | 'unreadable'

/** KEYS key. ARGV value as it was read, value to be or nothing. Expires as it would have. */
const REPLACE_STRING = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL') end
return 1`

/** KEYS key. ARGV field, its value as it was read, its value to be or nothing. */
const REPLACE_FIELD = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return 1`

/** KEYS key. What .NET keeps beside its \`data\` is nothing without it; 1 where the key is gone. */
const DROP_REST = `
local times = redis.call('HEXISTS', KEYS[1], 'absexp') + redis.call('HEXISTS', KEYS[1], 'sldexp')
if redis.call('HLEN', KEYS[1]) > times then return 0 end
redis.call('DEL', KEYS[1])
return 1`

/**
 * Takes accounts out of what a key holds, a string or the fields of a hash, and removes it when
 * nothing is left. Compares and sets: what is written by others meanwhile is read again.
 */
export async function takeOut(
  connection: RedisConnection,
  key: Buffer,
  accounts: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<TakenOut> {
  const ask = (command: string) => connection.send(key.toString(), [command, key])
  const type = String(await ask('TYPE'))
  if (type === 'hash') return takeOutOfHash(connection, key, accounts, signal)
  if (type !== 'string') return 'nothing'
  const did = await takeOutOfValue(accounts, signal, {
    read: () => ask('GET'),
    replace: (previous, next) => evaluate(connection, REPLACE_STRING, key, [previous, next]),
  })
  return did === 'emptied' ? 'removed' : did
}

async function takeOutOfHash(
  connection: RedisConnection,
  key: Buffer,
  accounts: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<TakenOut> {
  let outcome: TakenOut = 'nothing'
  let hasEmptied = false
  for await (const fields of scanFields(connection, key)) {
    for (const [field, first] of fields) {
      signal.throwIfAborted()
      let seen: Buffer | undefined = first
      const did = await takeOutOfValue(accounts, signal, {
        async read() {
          const value = seen ?? (await connection.send(key.toString(), ['HGET', key, field]))
          seen = undefined
          return value
        },
        replace: (previous, next) =>
          evaluate(connection, REPLACE_FIELD, key, [field, previous, next]),
      })
      hasEmptied ||= did === 'emptied'
      if (did === 'emptied' || did === 'changed') outcome = 'changed'
      else if (did === 'unreadable' && outcome === 'nothing') outcome = 'unreadable'
    }
  }
  return hasEmptied && (await evaluate(connection, DROP_REST, key, [])) ? 'removed' : outcome
}

interface Value {
  read(): Promise<unknown>
  /** Whether it still was what was read. Nothing means: away with it. */
  replace(previous: Buffer, next: Buffer): Promise<boolean>
}

async function takeOutOfValue(
  accounts: ReadonlySet<string>,
  signal: AbortSignal,
  { read, replace }: Value,
): Promise<'nothing' | 'emptied' | 'changed' | 'unreadable'> {
  for (;;) {
    signal.throwIfAborted()
    const value = await read()
    if (!Buffer.isBuffer(value)) return 'nothing'
    const without: Without = valueWithout(value, accounts)
    if (without.kind === 'unreadable') return 'unreadable'
    if (without.kind === 'theirs_not_there') return 'nothing'
    const next = without.kind === 'rest' ? without.value : Buffer.alloc(0)
    if (await replace(value, next)) return without.kind === 'rest' ? 'changed' : 'emptied'
  }
}

/** Its source each time: keys are bytes here, and few sign-outs find anything. */
async function evaluate(
  connection: RedisConnection,
  script: string,
  key: Buffer,
  args: readonly Buffer[],
): Promise<boolean> {
  return (await connection.send(key.toString(), ['EVAL', script, '1', key, ...args])) === 1
}
