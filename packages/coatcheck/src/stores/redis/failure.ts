import { AuthError } from '../../errors.ts'

/** Lets a call fail with what to change, where the server or the client has said that it never will work. */
export function explained<Args extends unknown[], T>(
  call: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  return async (...args) => {
    try {
      return await call(...args)
    } catch (error) {
      throw explain(error)
    }
  }
}

/** By the first word of the server's answer, or what a driver says of itself. */
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
  [
    /^(The client is closed|Connection is closed\.)$/,
    'The Redis client is not connected: `await client.connect()` first, and leave it open.',
  ],
]

function explain(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AuthError) return error
  const [, advice] = ADVICE.find(([says]) => says.test(error.message)) ?? []
  return advice === undefined ? error : new AuthError('store_unusable', advice, { cause: error })
}
