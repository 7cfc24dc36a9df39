import { AuthError } from '../../errors.ts'
import type { RedisConnection } from './connection.ts'
import type { Keys } from './keys.ts'
import { LONGEST_ABSENCE } from './space.ts'

/** Raised whenever the layout changes: records of another layout are never misread. */
const FORMAT = '1'
const OLDEST = [6, 2] as const
/** In milliseconds. */
const kept = String(LONGEST_ABSENCE)

/**
 * Whether the server can keep the promise at all. Rejects `store_unusable`, and says what to
 * change, where it cannot: too old, a replica, free to forget marks, or of another format.
 */
export async function checkServer(connection: RedisConnection, keys: Keys): Promise<void> {
  const key = keys.format
  // Of a Cluster whoever owns the key is asked. Whether the client knows who does shows with a
  // write only: a server that became a replica redirects it, but answers what is asked of itself.
  await connection.send(key, ['PEXPIRE', key, kept])
  const server = parse(await connection.info(key, 'server'))
  const version = server.get('redis_version') ?? '0'
  if (isOlder(version)) {
    throw unusable(`This Redis is ${version}: update it to ${OLDEST.join('.')} or later.`)
  }
  const replication = parse(await connection.info(key, 'replication'))
  if (replication.get('role') === 'slave') {
    throw unusable('This Redis is a replica: connect to the primary, or through its Sentinels.')
  }
  const memory = parse(await connection.info(key, 'memory'))
  const policy = memory.get('maxmemory_policy') ?? 'noeviction'
  if (memory.get('maxmemory') !== '0' && policy !== 'noeviction') {
    throw unusable(
      `This Redis may drop a mark when its memory is full (maxmemory-policy ${policy}), and ` +
        'with it a sign-out: set maxmemory-policy noeviction, or give coatcheck a Redis of its own.',
    )
  }
  const format = await settleFormat(connection, key)
  if (format === FORMAT) return
  throw unusable(
    `This Redis holds coatcheck records of format ${format}, and this version reads format ` +
      `${FORMAT}. Use the version of coatcheck that wrote them, or another \`prefix\`: then ` +
      'everybody has to sign in again.',
  )
}

async function settleFormat(connection: RedisConnection, key: string): Promise<string> {
  await connection.send(key, ['SET', key, FORMAT, 'NX', 'PX', kept])
  return String(await connection.send(key, ['GET', key]))
}

function parse(text: string): Map<string, string> {
  return new Map(
    text
      .split(/\r?\n/)
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
}

function unusable(message: string): AuthError {
  return new AuthError('store_unusable', message)
}
