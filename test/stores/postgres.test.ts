import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import type { TokenStore } from '#coatcheck/core/tokens/store'
import { migratePostgres, postgresStore } from '#coatcheck/stores/postgres'
import { testTokenStore } from '#coatcheck/testing/token-store'
import { type PgBouncer, startPgBouncer } from '../servers/pgbouncer.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import type { Closable } from '../servers/workplace.ts'

describe('postgresStore', () => {
  let server: PostgresServer & Closable
  let pool: pg.Pool
  before(async () => {
    server = await startPostgres()
    pool = new pg.Pool(server.config)
    await migratePostgres(pool)
  })
  after(async () => {
    await pool.end()
    await server.close()
  })

  testTokenStore(it, (options) => postgresStore(pool, options))

  it('has left tables that agree with each other after all of that', async () => {
    await assertConsistent(pool)
  })

  it('sends nobody again what he has read and what still stands', async () => {
    const store = postgresStore(pool)
    const at = Date.now()
    const value = randomBytes(3_000)
    const established = { provider: at, here: at }
    const record = { value, expiresAt: at + 60_000, established, indexes: ['known'] }
    await store.insert('known', record)
    const known = await store.get('known')
    assert.ok(known !== undefined)
    assert.equal(await store.get('known', known), known)
    const listed = await store.list('known', { limit: 10 })
    const mark = { clock: 'here', establishedUntil: at, keepUntil: at + 60_000 } as const
    const { removed } = await store.removeAll([{ index: 'known', mark }], {
      owe: () => [],
      limit: 10,
      resumed: false,
      unfinished: { id: 'unfinished', record },
      known: listed,
    })
    assert.equal(removed[0]?.value, listed[0]?.value)
    assert.deepEqual(Buffer.from(removed[0]?.value ?? []), value)
  })

  it('leaves nothing in the session', async () => {
    const own = new pg.Pool({ ...server.config, max: 1 })
    const session = async (): Promise<unknown[]> => {
      const rows: unknown[] = []
      for (const query of [
        'SELECT name, setting FROM pg_settings ORDER BY name',
        'SELECT name FROM pg_prepared_statements',
        'SELECT pg_listening_channels()',
        "SELECT * FROM pg_locks WHERE locktype = 'advisory'",
        'SELECT name FROM pg_cursors',
        'SELECT pg_my_temp_schema()',
      ]) {
        rows.push(query, (await own.query(query)).rows)
      }
      return rows
    }
    try {
      const before = await session()
      await everything(postgresStore(own))
      assert.deepEqual(await session(), before)
      assert.equal(own.idleCount, 1)
    } finally {
      await own.end()
    }
  })
})

describe('postgresStore, two of them on two pools behind PgBouncer in transaction mode', () => {
  let server: PostgresServer & Closable
  let bouncer: PgBouncer & Closable
  let pools: [pg.Pool, pg.Pool]
  before(async () => {
    server = await startPostgres()
    // So few that every transaction may find itself on another connection than the one before.
    bouncer = await startPgBouncer(server, { settings: { default_pool_size: '3' } })
    pools = [new pg.Pool(bouncer.config), new pg.Pool(bouncer.config)]
    await Promise.all(pools.map((pool) => migratePostgres(pool)))
  })
  after(async () => {
    for (const pool of pools) await pool.end()
    await bouncer.close()
    await server.close()
  })

  testTokenStore(it, (options) =>
    inTurns(postgresStore(pools[0], options), postgresStore(pools[1], options)),
  )

  it('has left tables that agree with each other after all of that', async () => {
    await assertConsistent(pools[0])
  })
})

/** A store that asks one of two at each call. */
function inTurns(one: TokenStore, two: TokenStore): TokenStore {
  let calls = 0
  const next = (): TokenStore => (calls++ % 2 === 0 ? one : two)
  return {
    now: () => next().now(),
    get: (id) => next().get(id),
    insert: (id, record) => next().insert(id, record),
    replace: (id, previous, record) => next().replace(id, previous, record),
    remove: (id, owe) => next().remove(id, owe),
    removeAll: (marks, removal) => next().removeAll(marks, removal),
    list: (index, page) => next().list(index, page),
    claim: (key, until) => next().claim(key, until),
    sweep: (owe, limit) => next().sweep(owe, limit),
    isEmpty: () => next().isEmpty(),
    async close() {
      await one.close()
      await two.close()
    },
  }
}

/** Every record is found by each of its indexes, and by nothing else. */
async function assertConsistent(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query(
    `SELECT coalesce(f.index, i.index) AS index, coalesce(f.id, i.id) AS id
     FROM coatcheck.found f FULL JOIN (
       SELECT id, unnest(indexes) AS index FROM coatcheck.records
     ) i ON f.index = i.index AND f.id = i.id
     WHERE f.id IS NULL OR i.id IS NULL`,
  )
  assert.deepEqual(rows, [])
}

async function everything(store: TokenStore): Promise<void> {
  const at = await store.now()
  const record = (text: string) => ({
    value: Buffer.from(text),
    expiresAt: at + 60_000,
    established: { provider: at, here: at },
    indexes: ['session'],
  })
  const mark = { clock: 'here', establishedUntil: at, keepUntil: at + 60_000 } as const
  const order = {
    owe: () => [],
    limit: 10,
    unfinished: { id: 'unfinished', record: record('') },
    resumed: false,
  }
  await store.insert('session', record('one'))
  await store.get('session')
  await store.replace('session', Buffer.from('one'), record('two'))
  await store.list('session', { limit: 1 })
  await store.remove('session')
  await store.removeAll([{ index: 'session', mark }], order)
  await store.claim('session', at + 1_000)
  await store.sweep(() => [], 10)
}
