import { AuthError } from 'coatcheck'
import { causeCode } from '../cause-code.ts'
import type {
  HostAndPort,
  RedisServers,
  StoreConfiguration,
} from '../configuration/configuration.ts'
import { adviceFor } from './advice.ts'
import { probe } from './probe.ts'

/** The store cannot be used. The message says why, and what to do, and holds no password. */
export class StoreFailure extends Error {
  override readonly name = 'StoreFailure'
}

/** Does what needs the store. Throws a {@link StoreFailure} where that is what failed. */
export async function withStore<T>(
  store: StoreConfiguration,
  work: () => Promise<T>,
  trouble?: () => string | undefined,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // What the library says of it is better than our guess.
    const isTheirs = error instanceof AuthError && error.code !== 'store_unavailable'
    if (isTheirs || error instanceof TypeError || error instanceof StoreFailure) throw error
    const code = error instanceof AuthError ? ` (${error.code})` : ''
    throw new StoreFailure(`store: ${await storeFailureText(store, error, trouble?.())}${code}`, {
      cause: error,
    })
  }
}

/** Why a store cannot be used, and what to do. What a driver says may hold a password. */
export async function storeFailureText(
  store: StoreConfiguration,
  error: unknown,
  trouble?: string,
): Promise<string> {
  if (store.kind === 'lmdb') return folderFailureText(store.path, causeCode(error))
  return serverFailureText(addressesOf(store), error, 'store', trouble)
}

/** The same of servers that are written in this setting. `trouble`: what the driver knows of it. */
export async function serverFailureText(
  addresses: readonly HostAndPort[],
  error: unknown,
  setting: string,
  trouble?: string,
): Promise<string> {
  const code = trouble ?? causeCode(error)
  // Some drivers try again for as long as they are let, and say nothing of why.
  const isSilent = code === undefined || code === 'timeout' || code === 'ETIMEDOUT'
  const why = (isSilent && (await probe(addresses))) || code || 'timeout'
  const where = addresses.map(({ host, port }) => `${host}:${port}`).join(', ')
  return `It cannot be used (${why}): ${adviceFor(why)}. Look whether ${where || 'its address'} in \`${setting}\` is right, and whether it runs.`
}

/** The same of a folder. */
export function folderFailureText(path: string, code: string | undefined): string {
  const another = 'or write another folder in `store`'
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `This user may not write in ${path} (${code}): let it (chown, chmod 700), ${another}.`
    case 'EROFS':
      return `${path} is on a file system that is read-only (EROFS): write another folder in \`store\`.`
    case 'ENOTDIR':
    case 'EEXIST':
      return `A file is where ${path} or a folder above it should be (${code}): move it away, ${another}.`
    case 'ENOSPC':
      return `No room is left for ${path} (ENOSPC): make some, ${another}.`
    default:
      return `${path} cannot be used (${code ?? 'unknown'}): see to it that this user can write in it, ${another}.`
  }
}

/** Where a store listens. */
function addressesOf(store: StoreConfiguration): readonly HostAndPort[] {
  if (store.kind === 'postgres') return inUrl(store.url, 5432)
  return store.kind === 'redis' ? addressesOfRedis(store.servers) : []
}

/** Where servers of Redis listen, or the Sentinels that know it. */
export function addressesOfRedis({ at }: RedisServers): readonly HostAndPort[] {
  if (at.kind === 'single') return inUrl(at.url, 6379)
  return at.kind === 'sentinels' ? at.sentinels : at.nodes
}

function inUrl(url: string, port: number): HostAndPort[] {
  const { hostname, port: written } = new URL(url)
  if (hostname === '') return []
  return [{ host: hostname.replace(/^\[|\]$/g, ''), port: Number(written) || port }]
}
