import { AuthError } from '../../errors.ts'
import type { RedisConnection } from './connection.ts'

/** What a call fails with says what to change, where it never will work as it is. */
export function explaining(connection: Pick<RedisConnection, 'isClosed'>) {
  return <Args extends unknown[], T>(
    call: (...args: Args) => Promise<T>,
  ): ((...args: Args) => Promise<T>) =>
    async (...args) => {
      try {
        return await call(...args)
      } catch (error) {
        throw explain(error, connection.isClosed)
      }
    }
}

/** By the first word of the server's answer. */
const ADVICE: readonly (readonly [says: RegExp, advice: string])[] = [
  [/^READONLY /, 'This Redis is a replica: connect to the primary, or through its Sentinels.'],
  [
    /^(NOAUTH|WRONGPASS) |^ERR AUTH|invalid username-password/,
    'This Redis wants another password: give the client its `username` and `password`.',
  ],
  [
    /^NOPERM /,
    'This user may not do in Redis what coatcheck does: allow it `~prefix*` and ' +
      '`+@read +@write +@scripting +info +time +wait`.',
  ],
  [/^OOM /, 'This Redis is full: raise its `maxmemory`. Sign-outs wait until there is room.'],
  [
    /^NOREPLICAS /,
    'This Redis has fewer replicas than `min-replicas-to-write` asks for: look after them.',
  ],
  [
    /^MOVED /,
    'This Redis is a node of a Cluster: make the client with createCluster, or new Redis.Cluster.',
  ],
  [
    /^WRONGTYPE /,
    'Something else uses this `prefix` in this Redis: choose another one, or remove what it left.',
  ],
]
const CLOSED =
  'The Redis client is not connected: `await client.connect()` first, and leave it open.'

function explain(error: unknown, isClosed: boolean): unknown {
  if (!(error instanceof Error) || error instanceof AuthError) return error
  const [, answered] = ADVICE.find(([says]) => says.test(error.message)) ?? []
  const advice = isClosed ? CLOSED : answered
  return advice === undefined ? error : new AuthError('store_unusable', advice, { cause: error })
}
