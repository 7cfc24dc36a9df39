import { after, before, describe } from 'node:test'
import pg from 'pg'
import { migratePostgres, postgresStore } from '#coatcheck/stores/postgres'
import { redisStore } from '#coatcheck/stores/redis'
import type { RawContents } from '#coatcheck/testing/remains'
import { postgresContents } from '#coatcheck/testing/remains/postgres'
import { redisContents } from '#coatcheck/testing/remains/redis'
import { startCluster } from '../servers/cluster.ts'
import { startPostgres } from '../servers/postgres.ts'
import { startRedis } from '../servers/redis.ts'
import { clientsOfCluster, clientsOfOne, type Opened } from '../stores/redis-clients.ts'
import { testSignOuts } from './remains-flows.ts'

describe('findRemains, in all keys of a Redis', () => {
  for (const [name, connect] of Object.entries(clientsOfOne)) {
    if (name !== 'ioredis' && name !== 'node-redis') continue
    describe(`through ${name}`, () => {
      let server: Awaited<ReturnType<typeof startRedis>>
      let opened: Opened
      let contents: RawContents
      before(async () => {
        server = await startRedis()
        opened = await connect(server.url)
        contents = redisContents(opened.client)
      })
      after(async () => {
        opened.close()
        await server.close()
      })
      testSignOuts(async (_t, now) => {
        await server.ask('FLUSHALL')
        return { store: redisStore(opened.client, { now }), contents }
      })
    })
  }
})

describe('findRemains, in all keys of a Redis Cluster', () => {
  let servers: Awaited<ReturnType<typeof startCluster>>
  before(async () => {
    servers = await startCluster()
  })
  after(() => servers.close())
  for (const [name, connect] of Object.entries(clientsOfCluster)) {
    describe(`through ${name}`, () => {
      let opened: Opened
      let contents: RawContents
      before(async () => {
        opened = await connect(servers)
        contents = redisContents(opened.client)
      })
      after(() => opened.close())
      testSignOuts(async (_t, now) => {
        for (const node of servers.nodes) await node.ask('FLUSHALL')
        return { store: redisStore(opened.client, { now }), contents }
      })
    })
  }
})

describe('findRemains, in all tables of a Postgres', () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let pool: pg.Pool
  before(async () => {
    server = await startPostgres()
    pool = new pg.Pool(server.config)
  })
  after(async () => {
    await pool.end()
    await server.close()
  })
  testSignOuts(async (_t, now) => {
    await pool.query('DROP SCHEMA IF EXISTS coatcheck CASCADE')
    await migratePostgres(pool)
    return { store: postgresStore(pool, { now }), contents: postgresContents(pool) }
  })
})
