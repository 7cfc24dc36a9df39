import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import type { StoredRecord, TokenStore } from '#coatcheck/core/tokens/store'
import { migratePostgres, type PostgresPool, postgresStore } from '#coatcheck/stores/postgres'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import type { Closable } from '../servers/workplace.ts'
import { intercept } from './postgres-pools.ts'

const SESSIONS = 4_000
const NOW = 1_800_000_000_000

for (const [statistics, when] of [
  ['without statistics', 'never'],
  ['with statistics', 'last'],
  ['with statistics of a time when no index was large', 'before'],
] as const) {
  describe(`plans of postgresStore, ${statistics}`, () => {
    let server: PostgresServer & Closable
    let pool: pg.Pool
    let store: TokenStore
    const plans = new Map<string, Plan[]>()
    let operation = ''
    const seen = async (name: string, work: () => Promise<unknown>): Promise<void> => {
      operation = name
      await work()
    }

    before(async () => {
      server = await startPostgres({ settings: { autovacuum: 'off' } })
      pool = new pg.Pool({ ...server.config, max: 4 })
      await migratePostgres(pool)
      await fill(pool)
      if (when === 'before') await pool.query('ANALYZE')
      await pool.query("UPDATE coatcheck.records SET indexes = indexes || '{everybody}'")
      await pool.query("INSERT INTO coatcheck.found SELECT 'everybody', id FROM coatcheck.records")
      if (when === 'last') await pool.query('ANALYZE')
      const explaining = explain(pool, (plan) => {
        // The look at the server comes first, once.
        if (operation !== '') plans.set(operation, [...(plans.get(operation) ?? []), plan])
      })
      let now = NOW
      store = postgresStore(explaining, { now: () => now })
      await store.now()
      await seen('get', async () => store.get('id 17'))
      await seen('list', () => store.list('everybody', { after: 'id 2', limit: 10 }))
      await seen('insert', () => store.insert('new', record('one', ['everybody', 'new'])))
      await seen('insert over one that expired', () =>
        store.insert('expired 1', record('one', ['everybody', 'new'])),
      )
      await seen('replace', () =>
        store.replace('new', Buffer.from('one'), record('two', ['everybody', 'other'])),
      )
      await seen('remove', () => store.remove('new', owe))
      await seen('claim', () => store.claim('claim 1', NOW + 1_000))
      await seen('removeAll', async () => {
        const mark = { clock: 'here', establishedUntil: NOW, keepUntil: NOW + 1_000 } as const
        const unfinished = { id: 'unfinished', record: record('unfinished', ['owed']) }
        const order = { owe, limit: 10, unfinished, resumed: false }
        const marks = ['everybody', 'index 5'].map((index) => ({ index, mark }))
        const { more } = await store.removeAll(marks, order)
        assert.equal(more, true)
      })
      now += 50
      await seen('sweep', async () => {
        assert.equal((await store.sweep(owe, 10)).length, 10)
      })
    })
    after(async () => {
      await pool.end()
      await server.close()
    })

    it('never reads a whole table', () => {
      const found = [...plans].flatMap(([name, all]) =>
        all.flatMap(nodes).flatMap((node) => {
          const kind = node['Node Type']
          return kind === 'Seq Scan' ? `${name}: ${kind} on ${node['Relation Name']}` : []
        }),
      )
      assert.deepEqual(found, [])
      assert.equal(plans.size, 9)
    })

    it('reads a few rows of a large index, and never all of them', () => {
      for (const [name, all] of plans) {
        const rows = all.flatMap(nodes).reduce((sum, node) => sum + rowsOf(node), 0)
        assert.ok(rows < 500, `${name} handles ${rows} rows`)
      }
    })
  })
}

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

function nodes(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodes)]
}

function rowsOf(node: Plan): number {
  const rows = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)
  return node['Relation Name'] === undefined ? 0 : rows * node['Actual Loops']
}

/** A pool that tells how the server went about each statement that has parameters. */
function explain(pool: pg.Pool, tell: (plan: Plan) => void): PostgresPool {
  return intercept(pool, async (client, ask, text, values) => {
    if (values.length === 0) return ask()
    // It is done for that, and undone: the statement itself must find everything as it was.
    const nested = await client.query({ text: 'SELECT now() = statement_timestamp() AS own' })
    const [{ own }] = nested.rows as [{ own: boolean }]
    await client.query({ text: own ? 'BEGIN' : 'SAVEPOINT explained' })
    const explained = `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`
    const { rows } = await client.query({ text: explained, values })
    await client.query({ text: own ? 'ROLLBACK' : 'ROLLBACK TO SAVEPOINT explained' })
    tell((rows as { 'QUERY PLAN': { Plan: Plan }[] }[])[0]?.['QUERY PLAN'][0]?.Plan as Plan)
    return ask()
  })
}

/** Sessions of one user each, all of them under one more index; marks and claims; some expired. */
async function fill(pool: pg.Pool): Promise<void> {
  const rows = (kind: string, from: number, until: number, expiresAt: number): string => `
    INSERT INTO coatcheck.records
    SELECT '${kind} ' || n, '', 'value', ${expiresAt}, 0, 0, ARRAY['index ' || n]
    FROM generate_series(${from}, ${until}) n`
  await pool.query(rows('id', 1, SESSIONS, NOW + 3_600_000))
  await pool.query(rows('expired', 1, SESSIONS / 10, NOW - 1))
  await pool.query('INSERT INTO coatcheck.found SELECT unnest(indexes), id FROM coatcheck.records')
  await pool.query(
    `INSERT INTO coatcheck.marks
     SELECT 'index ' || n, 'provider', 0, ${NOW} + n FROM generate_series(1, ${SESSIONS}) n`,
  )
  await pool.query(
    `INSERT INTO coatcheck.claims
     SELECT 'claim ' || n, ${NOW} + n FROM generate_series(1, ${SESSIONS}) n`,
  )
}

function owe(removed: readonly { readonly id: string }[]) {
  return removed.map(({ id }) => ({ id: `owed/${id}`, record: record('owed', ['owed']) }))
}

function record(value: string, indexes: string[]): StoredRecord {
  const established = { provider: NOW, here: NOW }
  return { value: Buffer.from(value), expiresAt: NOW + 3_600_000, established, indexes }
}
