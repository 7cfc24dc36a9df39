import type { PoolConfig } from 'pg'
import type { TokenStore } from '#coatcheck'
import type { Mistake } from '../faults/mistakes.ts'

/** Where the processes of an application keep their records: told to each as JSON. */
export type Place =
  | { readonly kind: 'lmdb'; readonly folder: string }
  | RedisPlace
  | (OwnClock & { readonly kind: 'postgres'; readonly config: PoolConfig })
  /** A store with a mistake that tests have to find. */
  | { readonly kind: 'mistaken'; readonly mistake: Mistake; readonly place: Place }

/** Whose clock counts. */
interface OwnClock {
  /** The process's own instead of the server's: for a process to which time goes by. */
  readonly ownClock?: boolean
}

/** One Redis, Redis behind Sentinels, or as a Cluster. */
export interface RedisPlace extends OwnClock {
  readonly kind: 'redis' | 'sentinels' | 'cluster'
  readonly driver: 'ioredis' | 'node-redis'
  /** What the Sentinels call the primary. */
  readonly name?: string
  /** The one, the Sentinels, or nodes of the Cluster. */
  readonly nodes: readonly Address[]
  /** By which way a node is reached that others name `host:port`. */
  readonly ways: Readonly<Record<string, Address>>
  readonly confirmReplicas: number
}

interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Opens the store. The clock is for those that have none of their own. What a process does not
 * need it does not load: many are started.
 */
export async function openStore(place: Place, now: () => number): Promise<TokenStore> {
  const clock = 'ownClock' in place && place.ownClock ? { now } : {}
  switch (place.kind) {
    case 'lmdb': {
      const { open } = await import('lmdb')
      const { lmdbOptions, lmdbStore } = await import('#coatcheck/stores/lmdb')
      return lmdbStore(open({ path: place.folder, ...lmdbOptions }), { now })
    }
    case 'postgres': {
      const { Pool } = await import('pg')
      const { postgresStore } = await import('#coatcheck/stores/postgres')
      return postgresStore(quiet(new Pool(place.config)), clock)
    }
    case 'mistaken': {
      const { mistaken } = await import('../faults/mistakes.ts')
      return mistaken(await openStore(place.place, now), place.mistake)
    }
    default: {
      const { redisStore } = await import('#coatcheck/stores/redis')
      const client = place.driver === 'ioredis' ? openIoredis(place) : openNodeRedis(place)
      return redisStore(await client, { confirmReplicas: place.confirmReplicas, ...clock })
    }
  }
}

async function openIoredis({ kind, name = '', nodes, ways }: RedisPlace) {
  const { Cluster, Redis } = await import('ioredis')
  const natMap = { ...ways }
  if (kind === 'redis') return quiet(new Redis({ ...nodes[0] }))
  return quiet(
    kind === 'cluster'
      ? new Cluster([...nodes], { natMap })
      : new Redis({ name, sentinels: [...nodes], natMap }),
  )
}

async function openNodeRedis({ kind, name = '', nodes, ways }: RedisPlace) {
  const { createClient, createCluster, createSentinel } = await import('redis')
  const nodeAddressMap = { ...ways }
  if (kind === 'redis') {
    const client = quiet(createClient({ socket: { ...nodes[0] } }))
    await client.connect()
    return client
  }
  if (kind === 'cluster') {
    const rootNodes = nodes.map((socket) => ({ socket }))
    const cluster = quiet(createCluster({ rootNodes, nodeAddressMap }))
    await cluster.connect()
    return cluster
  }
  const sentinel = quiet(createSentinel({ name, sentinelRootNodes: [...nodes], nodeAddressMap }))
  await sentinel.connect()
  return sentinel
}

/** Connections are cut here on purpose: whoever asked is told. */
function quiet<Client extends { on(event: 'error', heard: () => void): unknown }>(
  client: Client,
): Client {
  client.on('error', () => undefined)
  return client
}
