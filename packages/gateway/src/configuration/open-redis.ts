import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import type { RedisClient } from 'coatcheck/stores/redis'
import type { ClusterOptions, RedisOptions } from 'ioredis'
import type { RedisServers, RedisTls } from './configuration.ts'
import { redisTrouble } from './redis-trouble.ts'

/** A connection, or one to each node, that is made again when it is lost. */
export interface OpenedRedis {
  readonly client: RedisClient
  /** What was wrong with the connection last, by a constant; nothing where nothing was. */
  trouble(): string | undefined
  /** Closes it at once. */
  close(): void
}

/** A silent connection is given up before the next try of whoever waits for it. */
const SOCKET_TIMEOUT = 4_000

/** Connects to a Redis. One that is away is no error here: each command tells, until it is back. */
export async function openRedis(servers: RedisServers): Promise<OpenedRedis> {
  const { Cluster, Redis } = await import('ioredis')
  const { at, username, password } = servers
  const tls = servers.tls && tlsOptions(servers.tls)
  const common: Common = {
    socketTimeout: SOCKET_TIMEOUT,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
  }
  const client =
    at.kind === 'single'
      ? new Redis(at.url, common)
      : at.kind === 'sentinels'
        ? new Redis({ ...common, ...behindSentinels(at, tls) })
        : new Cluster([...at.nodes], { redisOptions: common, ...(tls && { dnsLookup }) })
  let last: string | undefined
  client.on('error', (error: unknown) => {
    last = redisTrouble(error) ?? last
  })
  return { client, trouble: () => last, close: () => client.disconnect() }
}

type Common = Pick<RedisOptions, 'socketTimeout' | 'username' | 'password' | 'tls'>

function behindSentinels(
  { sentinels, masterName, database, username, password }: Sentinels,
  tls: ConnectionOptions | undefined,
) {
  return {
    sentinels: [...sentinels],
    name: masterName,
    db: database,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
  }
}

type Sentinels = Extract<RedisServers['at'], { kind: 'sentinels' }>

/** A certificate is for the name, and not for the address that it has today. */
const dnsLookup: NonNullable<ClusterOptions['dnsLookup']> = (name, found) => found(null, name)

function tlsOptions({ ca, certificate, key }: RedisTls): ConnectionOptions {
  return {
    ...(ca !== undefined && { ca: readFileSync(ca) }),
    ...(certificate !== undefined && { cert: readFileSync(certificate) }),
    ...(key !== undefined && { key: readFileSync(key) }),
  }
}
