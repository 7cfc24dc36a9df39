import { Redis as Ioredis, Cluster as IoredisCluster } from 'ioredis'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import { connect, type RedisClient, type RedisConnection } from '#coatcheck/stores/redis/connection'
import type { Cluster } from '../servers/cluster.ts'
import type { Replicated } from '../servers/replicated.ts'

/** Some driver's client, a connection through it, and how to be done with it. */
export interface Opened {
  readonly client: RedisClient
  readonly connection: RedisConnection
  close(): void
}

/** The clients of one server, by name. */
export const clientsOfOne: Record<string, (url: string) => Promise<Opened>> = {
  'node-redis': async (url) => {
    const client = quiet(createClient({ url }))
    await client.connect()
    return opened(client, () => client.destroy())
  },
  'node-redis with RESP2': async (url) => {
    const client = quiet(createClient({ url, RESP: 2 }))
    await client.connect()
    return opened(client, () => client.destroy())
  },
  "node-redis' pool": async (url) => {
    const client = quiet(createClientPool({ url }, { minimum: 2 }))
    await client.connect()
    return opened(client, () => client.destroy())
  },
  ioredis: async (url) => {
    const client = quiet(new Ioredis(url))
    return opened(client, () => client.disconnect())
  },
  'ioredis that pipelines and maps as RESP3 does': async (url) => {
    const client = quiet(
      new Ioredis(url, { protocol: 3, replyMapping: 'resp3', enableAutoPipelining: true }),
    )
    return opened(client, () => client.disconnect())
  },
}

/** The clients that ask Sentinels for the primary. */
export const clientsOfSentinels: Record<string, (servers: Replicated) => Promise<Opened>> = {
  "node-redis' Sentinel": async ({ name, sentinels }) => {
    const client = quiet(
      createSentinel({ name, sentinelRootNodes: [...sentinels], replicaPoolSize: 1 }),
    )
    await client.connect()
    return opened(client, () => client.destroy())
  },
  'ioredis with Sentinels': async ({ name, sentinels }) => {
    const client = quiet(new Ioredis({ name, sentinels: [...sentinels] }))
    return opened(client, () => client.disconnect())
  },
}

/** The clients of a Cluster. */
export const clientsOfCluster: Record<string, (servers: Cluster) => Promise<Opened>> = {
  "node-redis' Cluster": async ({ rootNodes }) => {
    const client = quiet(
      createCluster({
        rootNodes: rootNodes.map((socket) => ({ socket })),
        useReplicas: true,
      }),
    )
    await client.connect()
    return opened(client, () => client.destroy())
  },
  "ioredis' Cluster": async ({ rootNodes }) => {
    const client = quiet(new IoredisCluster([...rootNodes]))
    return opened(client, () => client.disconnect())
  },
}

function opened(client: RedisClient, close: () => unknown): Opened {
  return { client, connection: connect(client), close: () => void close() }
}

/** Connections are cut here on purpose. */
function quiet<Client extends { on(event: 'error', heard: () => void): unknown }>(
  client: Client,
): Client {
  client.on('error', () => undefined)
  return client
}
