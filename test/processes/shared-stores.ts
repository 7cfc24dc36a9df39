import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster, Redis } from 'ioredis'
import { open } from 'lmdb'
import { Pool } from 'pg'
import type { TokenStore } from '#coatcheck'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { migratePostgres, postgresStore } from '#coatcheck/stores/postgres'
import { redisStore } from '#coatcheck/stores/redis'
import { startCluster } from '../servers/cluster.ts'
import { startPostgres } from '../servers/postgres.ts'
import { startRedis } from '../servers/redis.ts'
import { startTcpProxy, type TcpProxy } from '../servers/tcp-proxy.ts'
import type { Place, RedisPlace } from './place.ts'

/** A store that several processes share, and the ways to it. */
export interface SharedStore {
  /** Where the n-th process keeps its records: drivers take turns. */
  place(nth: number): Place
  /** The same by that process's own clock, for one to which time goes by. */
  placeByOwnClock(nth: number): Place
  /** The same through a network that a test can cut; nothing where there is none in between. */
  readonly network: Network | undefined
  /** Whether its processes may run on several machines, whose clocks differ. */
  readonly spansMachines: boolean
  /** What the test itself sees of it. */
  readonly store: TokenStore
  /** Removes all there is. */
  empty(): Promise<void>
  close(): Promise<void>
}

/** What lies between one process and its store. */
export interface Network {
  readonly place: Place
  cut(): Promise<void>
  restore(): Promise<void>
}

/** Each store that several processes can share, by name. */
export const sharedStores: Readonly<Record<string, () => Promise<SharedStore>>> = {
  LMDB: startLmdb,
  Redis: startOneRedis,
  'Redis Cluster': startRedisCluster,
  Postgres: startOnePostgres,
}

async function startLmdb(): Promise<SharedStore> {
  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-test-'))
  const database = open({ path: folder, ...lmdbOptions })
  const place = (): Place => ({ kind: 'lmdb', folder })
  return {
    place,
    placeByOwnClock: place,
    network: undefined,
    spansMachines: false,
    store: lmdbStore(database),
    empty: () => sweepAll(lmdbStore(database, { now: atTheEnd })),
    async close() {
      await database.close()
      await rm(folder, { recursive: true })
    },
  }
}

async function startOneRedis(): Promise<SharedStore> {
  const server = await startRedis()
  const client = new Redis(server.port, '127.0.0.1')
  return overRedis('redis', [server], client, () => server.close())
}

async function startRedisCluster(): Promise<SharedStore> {
  const cluster = await startCluster()
  const client = new Cluster([...cluster.rootNodes])
  return overRedis('cluster', cluster.nodes, client, () => cluster.close())
}

async function overRedis(
  kind: 'redis' | 'cluster',
  servers: readonly { readonly port: number }[],
  client: Redis | Cluster,
  stop: () => Promise<void>,
): Promise<SharedStore> {
  const detours = await Promise.all(servers.map((server) => startTcpProxy(server)))
  const place = (nth: number): RedisPlace => ({
    kind,
    driver: nth % 2 === 0 ? 'ioredis' : 'node-redis',
    nodes: servers.map(addressOf),
    ways: {},
    confirmReplicas: 0,
  })
  // What the nodes of a Cluster call each other leads past the detour.
  const ways = servers.map(({ port }, at) => [`127.0.0.1:${port}`, addressOf(detours[at])])
  return {
    place,
    placeByOwnClock: (nth) => ({ ...place(nth), ownClock: true }),
    network: networkOver(detours, {
      ...place(0),
      nodes: detours.map(addressOf),
      ways: Object.fromEntries(ways),
    }),
    spansMachines: true,
    store: redisStore(client),
    empty: () => sweepAll(redisStore(client, { now: atTheEnd })),
    async close() {
      client.disconnect()
      for (const detour of detours) await detour.close()
      await stop()
    },
  }
}

async function startOnePostgres(): Promise<SharedStore> {
  const server = await startPostgres()
  const detour = await startTcpProxy(server)
  const pool = new Pool(server.config)
  await migratePostgres(pool)
  const place = (): Place => ({ kind: 'postgres', config: server.config })
  return {
    place,
    placeByOwnClock: () => ({ kind: 'postgres', config: server.config, ownClock: true }),
    network: networkOver([detour], {
      kind: 'postgres',
      config: { ...server.config, port: detour.port },
    }),
    spansMachines: true,
    store: postgresStore(pool),
    empty: () => sweepAll(postgresStore(pool, { now: atTheEnd })),
    async close() {
      await pool.end()
      await detour.close()
      await server.close()
    },
  }
}

/** When whatever is written now has expired. */
function atTheEnd(): number {
  return Date.now() + 1000 * 86_400_000
}

async function sweepAll(store: TokenStore): Promise<void> {
  while ((await store.sweep(() => [], 1000)).length === 1000);
  await store.close()
}

function networkOver(detours: readonly TcpProxy[], place: Place): Network {
  return {
    place,
    async cut() {
      await Promise.all(detours.map((detour) => detour.cut()))
    },
    async restore() {
      await Promise.all(detours.map((detour) => detour.restore()))
    },
  }
}

function addressOf(server: { readonly port: number } | undefined): { host: string; port: number } {
  return { host: '127.0.0.1', port: server?.port ?? 0 }
}
