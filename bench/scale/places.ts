import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { open as openLmdb } from 'lmdb'
import pg from 'pg'
import type { TokenStore } from '#coatcheck'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { migratePostgres, postgresStore } from '#coatcheck/stores/postgres'
import { redisStore } from '#coatcheck/stores/redis'
import { startPostgres } from '../../test/servers/postgres.ts'
import { type RedisServer, startRedis } from '../../test/servers/redis.ts'

/** A store on a server of its own, and how many bytes it takes. */
export interface BenchPlace {
  readonly store: TokenStore
  bytes(): Promise<number>
  close(): Promise<void>
}

/** Names of the stores that are measured. */
export type PlaceName = 'lmdb' | 'redis' | 'postgres'

/** How each is opened, and how many sessions it gets. */
export const places: Readonly<
  Record<PlaceName, { readonly open: () => Promise<BenchPlace>; readonly sessions: number }>
> = {
  lmdb: { open: openLmdbPlace, sessions: 1_000_000 },
  redis: { open: openRedisPlace, sessions: 1_000_000 },
  postgres: { open: openPostgresPlace, sessions: 200_000 },
}

async function openLmdbPlace(): Promise<BenchPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-bench-'))
  const database = openLmdb({ path: folder, mapSize: 2 ** 35, ...lmdbOptions })
  return {
    store: lmdbStore(database),
    bytes: async () => (await stat(join(folder, 'data.mdb'))).size,
    async close() {
      await database.close()
      await rm(folder, { recursive: true })
    },
  }
}

async function openRedisPlace(): Promise<BenchPlace> {
  const server = await startRedis()
  const client = new Redis(server.url)
  return {
    store: redisStore(client),
    bytes: () => redisBytes(server),
    async close() {
      client.disconnect()
      await server.close()
    },
  }
}

/** What is in a Redis, with what it needs besides. */
export async function redisBytes(server: RedisServer): Promise<number> {
  const memory = String(await server.ask('INFO', 'memory'))
  return Number(/^used_memory:(\d+)/m.exec(memory)?.[1])
}

async function openPostgresPlace(): Promise<BenchPlace> {
  // As it is run: what is answered is on disk.
  const server = await startPostgres({ fsync: true })
  const pool = new pg.Pool({ ...server.config, max: 10 })
  await migratePostgres(pool)
  return {
    store: postgresStore(pool),
    async bytes() {
      const { rows } = await pool.query(
        "SELECT sum(pg_total_relation_size(c.oid))::float8 AS bytes FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'coatcheck' AND c.relkind = 'r'",
      )
      return rows[0].bytes
    },
    async close() {
      await pool.end()
      await server.close()
    },
  }
}
