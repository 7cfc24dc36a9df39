import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { migratePostgres, postgresStore } from '#coatcheck/stores/postgres'
import { redisStore } from '#coatcheck/stores/redis'
import { findRemains, type RawContents, type Remains } from '#coatcheck/testing/remains'
import { postgresContents } from '#coatcheck/testing/remains/postgres'
import { redisContents } from '#coatcheck/testing/remains/redis'
import { startCluster } from '../servers/cluster.ts'
import { startPostgres } from '../servers/postgres.ts'
import { startRedis } from '../servers/redis.ts'
import { clientsOfCluster, clientsOfOne, type Opened } from '../stores/redis-clients.ts'
import { testSignOuts } from './remains-flows.ts'

const TOKEN = 'a-token-that-another-application-wrote-down'

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

      it('looks into keys of every type and size, whoever wrote them', async () => {
        await server.ask('FLUSHALL')
        const many = Array.from({ length: 1_200 }, (_, at) => `element ${at}`)
        const last = `x${TOKEN}x`
        await server.ask('SET', 'text', last)
        await server.ask('SET', `key of ${TOKEN}`, 'x')
        await server.ask('RPUSH', 'list', ...many, last)
        await server.ask('SADD', 'set', ...many, last)
        await server.ask('ZADD', 'zset', ...[...many, last].flatMap((one, at) => [`${at}`, one]))
        await server.ask('HSET', 'hash', ...many.flatMap((one) => [one, 'x']), 'field', last)
        await server.ask('HSET', 'field', last, 'x')
        for (const one of [...many.slice(0, 501), last]) {
          await server.ask('XADD', 'stream', '*', 'field', one)
        }
        const { found, looked } = await lookFor(TOKEN, contents)
        assert.deepEqual(found.map(({ kind, place }) => `${kind}: ${place}`).sort(), [
          'plain_text: field (element of a hash)',
          'plain_text: hash (element of a hash)',
          'plain_text: key of […]',
          'plain_text: list (element of a list)',
          'plain_text: set (element of a set)',
          'plain_text: stream (element of a stream)',
          'plain_text: text',
          'plain_text: zset (element of a zset)',
        ])
        assert.equal(looked.entries, 2 + 3 * 1_201 + 1_201 + 1 + 502)
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

      it('looks into the keys of every primary', async () => {
        for (const node of servers.nodes) await node.ask('FLUSHALL')
        const keys = Array.from({ length: 60 }, (_, at) => `key ${at}`)
        for (const key of keys) await (await servers.primaryOf(key)).ask('SET', key, TOKEN)
        const { found } = await lookFor(TOKEN, contents)
        assert.deepEqual(found.map(({ place }) => place).sort(), keys.sort())
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

  it('looks into every table, whatever its columns and its rows are', async () => {
    await pool.query(`
      CREATE SCHEMA "another one";
      CREATE TABLE "another one"."a table" ("a column" text, b bytea, c jsonb, d text[], e int);
      INSERT INTO "another one"."a table" (e) SELECT n FROM generate_series(1, 1200) n;
      CREATE TABLE parted (at int, note text) PARTITION BY RANGE (at);
      CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (9);
      CREATE TABLE empty ();
      CREATE VIEW seen AS SELECT * FROM parted;`)
    const table = '"another one"."a table"'
    await pool.query(`INSERT INTO ${table} ("a column") VALUES ($1)`, [TOKEN])
    await pool.query(`INSERT INTO ${table} (b) VALUES ($1)`, [Buffer.from(`\0${TOKEN}\xff`)])
    await pool.query(`INSERT INTO ${table} (c) VALUES ($1)`, [{ note: TOKEN }])
    await pool.query(`INSERT INTO ${table} (d) VALUES ($1)`, [[TOKEN, 'x']])
    await pool.query('INSERT INTO parted VALUES (1, $1)', [TOKEN])
    const { found, looked } = await lookFor(TOKEN, postgresContents(pool))
    const tables = found.map(({ place }) => place.replace(/ \(\d+,\d+\)$/, ''))
    const five = [...Array(4).fill('another one.a table'), 'public.parted_1']
    assert.deepEqual(tables.sort(), five)
    assert.ok(looked.entries > 1_204)
    const only = await lookFor(TOKEN, postgresContents(pool, { schemas: ['public'] }))
    assert.deepEqual(only.found.length, 1)
  })

  it('fails where it may not look, instead of finding nothing', async () => {
    await pool.query(`
      CREATE TABLE secret (note text);
      INSERT INTO secret VALUES ('${TOKEN}');
      CREATE ROLE auditor LOGIN;
      ALTER TABLE secret ENABLE ROW LEVEL SECURITY;`)
    const theirs = new pg.Pool({ ...server.config, user: 'auditor' })
    const contents = postgresContents(theirs, { schemas: ['public'] })
    await pool.query('GRANT SELECT ON ALL TABLES IN SCHEMA public TO auditor')
    await assert.rejects(lookFor(TOKEN, contents), /row-level security/)
    await pool.query(
      'ALTER TABLE secret DISABLE ROW LEVEL SECURITY; REVOKE SELECT ON secret FROM auditor',
    )
    await assert.rejects(lookFor(TOKEN, contents), /permission denied/)
    await theirs.end()
  })
})

function lookFor(text: string, contents: RawContents): Promise<Remains> {
  const keys = ['a key for tests of thirty-two bytes at least']
  const issuer = 'https://provider.test'
  return findRemains({ contents, keys, issuer, clientId: 'app', identities: [], texts: [text] })
}
