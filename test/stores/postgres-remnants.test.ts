import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import type { StoredRecord, TokenStore } from '#coatcheck/core/tokens/store'
import { migratePostgres, postgresSchema, postgresStore } from '#coatcheck/stores/postgres'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import type { Closable } from '../servers/workplace.ts'
import { intercept, withPool } from './postgres-pools.ts'

const NAMES = ['format', 'records', 'found', 'marks', 'claims'] as const

describe('postgresStore and migratePostgres, where only parts of the tables are there', () => {
  let server: PostgresServer & Closable
  let pool: pg.Pool
  let named = 0
  before(async () => {
    server = await startPostgres()
    pool = new pg.Pool(server.config)
    // Of each store here.
    pool.setMaxListeners(100)
  })
  after(async () => {
    await pool.end()
    await server.close()
  })

  for (const [damage, gone] of [
    ...NAMES.map((name) => [`DROP TABLE ${name}`, name] as const),
    ...NAMES.slice(1).map(
      (name) => [`ALTER TABLE ${name} DROP CONSTRAINT ${name}_pkey`, `the key of ${name}`] as const,
    ),
    ['DROP TABLE found, marks', 'found, marks'],
    ['DROP TABLE format, records', 'format, records'],
    ['DELETE FROM format', 'the row of format'],
    ['TRUNCATE found', 'the rows of found'],
  ] as const) {
    it(`serves nobody after ${damage}, and says to restore the backup or to begin anew`, async () => {
      const schema = `schema_${named++}`
      const [running, started] = [0, 1].map(() => postgresStore(pool, { schema })) as [
        TokenStore,
        TokenStore,
      ]
      await migratePostgres(pool, { schema })
      await running.insert('session', record('session'))
      await damaged(schema, damage)
      const before = await tablesIn(schema)
      const refusal = (error: { code: string; message: string }): true => {
        assert.equal(error.code, 'store_unusable')
        assert.match(error.message, new RegExp(`this is gone: ${gone}\\. .*Restore the backup`))
        assert.match(error.message, /everybody has to sign in again: DROP TABLE IF EXISTS/)
        assert.doesNotMatch(error.message, /await migrate/, 'that would make it empty')
        return true
      }
      await assert.rejects(async () => started.get('session'), refusal)
      await assert.rejects(migratePostgres(pool, { schema }), refusal)
      await assert.rejects(pool.query(postgresSchema({ schema })), {
        code: 'CC001',
        message: new RegExp(`this is gone: ${gone}\\. .*Restore the backup`),
      })
      assert.deepEqual(await tablesIn(schema), before, 'nothing was made')
      // A process that has looked before does so again when something fails.
      if (damage === 'DROP TABLE found') {
        await assert.rejects(running.removeAll([index()], order()), refusal)
        await assert.rejects(async () => running.get('session'), refusal)
      }
    })
  }

  it('works again when the rest was dropped as it says, and everybody signs in again', async () => {
    const schema = `schema_${named++}`
    await migratePostgres(pool, { schema })
    const store = postgresStore(pool, { schema })
    await store.insert('session', record('session'))
    await damaged(schema, 'DROP TABLE found')
    const { message } = await migratePostgres(pool, { schema }).then(
      () => assert.fail('it made the table'),
      (error: Error) => error,
    )
    const [drop] = /DROP TABLE [^;]*?(?=\. )/.exec(message) ?? []
    await pool.query(drop ?? '')
    await assert.rejects(async () => store.get('session'), { message: /await migratePostgres/ })
    await migratePostgres(pool, { schema })
    assert.equal(await store.isEmpty(), true)
    assert.equal(await store.insert('session', record('session')), true)
  })

  it('does without the indexes that only save time, and makes them when it is run again', async () => {
    const schema = `schema_${named++}`
    await migratePostgres(pool, { schema })
    await damaged(schema, 'DROP INDEX records_expires_at, marks_keep_until, claims_until')
    const store = postgresStore(pool, { schema })
    await store.insert('session', record('session'))
    await pool.query(postgresSchema({ schema }))
    const { rows } = await pool.query('SELECT FROM pg_indexes WHERE schemaname = $1', [schema])
    assert.equal(rows.length, 7)
    assert.ok(await store.get('session'))
  })

  it('leaves nothing where the first migration is cut short at any statement', async () => {
    const schema = `schema_${named++}`
    const statements = postgresSchema({ schema }).split(';\n\n')
    for (let cut = 1; cut < statements.length; cut++) {
      const client = new pg.Client(server.config)
      client.on('error', () => {})
      await client.connect()
      await client.query(statements.slice(0, cut).join(';'))
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
      const ended = new Promise((resolve) => client.once('end', resolve))
      await pool.query('SELECT pg_terminate_backend($1, 10000)', [rows[0].pid])
      await ended
      assert.deepEqual(await tablesIn(schema), [])
    }
    await migratePostgres(pool, { schema })
    assert.equal(await postgresStore(pool, { schema }).isEmpty(), true)
  })

  it('migrates once where eight do at once, also where transactions are repeatable by default', async () => {
    const schema = `schema_${named++}`
    const options = '-c default_transaction_isolation=repeatable\\ read'
    await withPool(server, { options }, async (own) => {
      await Promise.all(Array.from({ length: 8 }, () => migratePostgres(own, { schema })))
    })
    const { rows } = await pool.query(`SELECT version FROM ${schema}.format`)
    assert.deepEqual(rows, [{ version: 1 }])
  })

  it('migrates by a pool nobody listens to, and the process outlives a connection that breaks', async () => {
    await withPool(server, { max: 2 }, async (own) => {
      const idle = await Promise.all([own.connect(), own.connect()])
      for (const client of idle) client.release()
      let broken = false
      const breaking = Object.assign(
        intercept(own, async (_, ask) => {
          if (!broken) {
            broken = true
            const removed = new Promise((resolve) => own.once('remove', resolve))
            await pool.query(
              `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
               WHERE state = 'idle' AND pid = ANY ($1)`,
              [idle.map((client) => Reflect.get(client, 'processID'))],
            )
            await removed
          }
          return ask()
        }),
        { on: own.on.bind(own), off: own.off.bind(own) },
      )
      await migratePostgres(breaking, { schema: `schema_${named++}` }).catch(() => undefined)
      assert.equal(broken, true)
      assert.equal(own.listenerCount('error'), 0)
    })
  })

  async function damaged(schema: string, damage: string): Promise<void> {
    await pool.query(`BEGIN; SET LOCAL search_path = ${schema}; ${damage}; COMMIT`)
  }

  async function tablesIn(schema: string): Promise<unknown[]> {
    const { rows } = await pool.query(
      'SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1',
      [schema],
    )
    return rows
  }
})

function index() {
  const at = Date.now()
  const mark = { clock: 'here', establishedUntil: at, keepUntil: at + 60_000 } as const
  return { index: 'user', mark }
}

function order() {
  const unfinished = { id: 'unfinished', record: record('unfinished') }
  return { owe: () => [], limit: 10, resumed: false, unfinished }
}

function record(value: string): StoredRecord {
  const at = Date.now()
  const established = { provider: at, here: at }
  return { value: Buffer.from(value), indexes: ['user'], expiresAt: at + 3_600_000, established }
}
