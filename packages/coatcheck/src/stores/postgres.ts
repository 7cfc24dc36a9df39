import type { Owe, StoredEntry, TokenStore } from '../core/tokens/store.ts'
import { checkedDatabase } from './postgres/check.ts'
import { type Ask, createDatabase } from './postgres/database.ts'
import { createKnownValues } from './postgres/known.ts'
import { lockStatements } from './postgres/locks.ts'
import { checkName, checkTime, checkTimeout, tablesOf } from './postgres/names.ts'
import { cut } from './postgres/parts.ts'
import { checkPool, dropped, type PostgresPool } from './postgres/pool.ts'
import { isTrue, marksValues, recordsValues, recordValues, toEntry } from './postgres/rows.ts'
import { statementsFor } from './postgres/statements.ts'

export { migratePostgres } from './postgres/migrate.ts'
export type {
  PostgresAnswer,
  PostgresClient,
  PostgresPool,
  PostgresStatement,
} from './postgres/pool.ts'
export { type PostgresSchemaOptions, postgresSchema } from './postgres/schema.ts'

/** What {@link postgresStore} may be told. */
export interface PostgresStoreOptions {
  /** Where the tables are that {@link migratePostgres} made. Default `coatcheck`. */
  readonly schema?: string
  /**
   * How long one operation may take, the wait for a connection included. The server gives up its
   * statements then too. Default 10.
   */
  readonly timeoutSeconds?: number
  /** The clock, in milliseconds since the epoch. Default: the server's. */
  readonly now?: () => number
}

/**
 * Keeps records in PostgreSQL 13 or newer: `postgresStore(new Pool())` with `Pool` of the npm
 * package `pg`, in tables that {@link migratePostgres} makes. Every method is one transaction that
 * leaves nothing in the session, so that a pooler may stand in between.
 */
export function postgresStore(pool: PostgresPool, options: PostgresStoreOptions = {}): TokenStore {
  checkPool(pool)
  const { timeoutSeconds = 10, schema = 'coatcheck' } = options
  const tables = tablesOf(schema)
  const sql = statementsFor(tables)
  const database = createDatabase(pool, {
    schema: tables.schema,
    timeoutSeconds: checkTimeout(timeoutSeconds),
  })
  const { ask: askAlone, transact } = checkedDatabase(database, tables)
  const versions = createKnownValues()
  const clock = (): number | null => options.now?.() ?? null
  const locks = (indexes: readonly string[], how: 'shared' | 'exclusive'): string[] =>
    lockStatements(tables.schema, indexes, how)
  pool.on('error', dropped)

  return {
    async now() {
      const [row] = await askAlone(sql.now, [])
      return options.now?.() ?? Number(row?.['now'])
    },

    async get(id, known) {
      const values = [checkName(id), clock(), versions.versionOf(id, known)]
      const [row] = await askAlone(sql.get, values)
      return versions.valueIn(id, row, known)
    },

    async insert(id, record) {
      const values = recordValues(id, record)
      return transact(locks(record.indexes, 'shared'), async (ask) => {
        const insert = async () => (await ask(sql.insert, [...values, clock()]))[0]
        const row = await insert()
        if (isTrue(row, 'written') || isTrue(row, 'refused')) return isTrue(row, 'written')
        const [expired] = await ask(sql.lockIfExpired, [id, clock()])
        if (expired === undefined) return false
        await ask(sql.erase, [[id]])
        return isTrue(await insert(), 'written')
      })
    },

    async replace(id, previous, next) {
      const values = [...recordValues(id, next), ...cut(previous)]
      return transact(locks(next.indexes, 'shared'), async (ask) => {
        const [row] = await ask(sql.replace, [...values, clock()])
        return isTrue(row, 'replaced')
      })
    },

    async remove(id, owe) {
      const name = checkName(id)
      return transact([], async (ask) => {
        const removed = (await ask(sql.lock, [name])).map(toEntry)
        await removeLocked(ask, removed, owe)
        return removed[0]?.value
      })
    },

    async removeAll(marks, { owe, limit, unfinished, resumed, known = [] }) {
      const [indexes, clocks, untils, keeps] = marksValues(marks)
      const flag = recordsValues([unfinished])
      const covered = [indexes, clocks, untils, resumed]
      return transact(locks(indexes, 'exclusive'), async (ask) => {
        const found = await ask(sql.covered, [...covered, limit + 1, unfinished.id])
        const ids = found.slice(0, limit).map((row) => row['id'] ?? '')
        const more = found.length > limit
        const listed = new Map(known.map(({ id, value }) => [id, value]))
        const seen = ids.map((id) => versions.versionOf(id, listed.get(id)))
        const locked = ids.length > 0 ? await ask(sql.lockCovered, [...covered, ids, seen]) : []
        const removed = locked.map((row) => versions.entryOf(row, listed.get(row['id'] ?? '')))
        await removeLocked(ask, removed, owe, [indexes, clocks, untils, keeps])
        if (more && !isTrue(found[0], 'flagged')) await ask(sql.writeUnlessThere, flag)
        return { removed, more }
      })
    },

    async list(index, { after, limit }) {
      const values = [checkName(index), after === undefined ? null : checkName(after), limit]
      const rows = await transact([], (ask) => ask(sql.list, [...values, clock()]))
      return rows.filter((row) => row['id'] !== null).map((row) => versions.entryOf(row))
    },

    async claim(key, until) {
      const values = [checkName(key), checkTime(until)]
      return (await askAlone(sql.claim, [...values, clock()])).length === 1
    },

    async sweep(owe, limit) {
      for (const statement of [sql.sweepMarks, sql.sweepClaims]) {
        for (let batch = 0; batch < BATCHES; batch++) {
          const swept = await transact([], (ask) => ask(statement, [clock(), BATCH]))
          if (swept.length < BATCH) break
        }
      }
      return transact([], async (ask) => {
        const removed = (await ask(sql.lockExpired, [clock(), limit])).map(toEntry)
        await removeLocked(ask, removed, owe)
        return removed
      })
    },

    async isEmpty() {
      const [row] = await askAlone(sql.isEmpty, [])
      return isTrue(row, 'empty')
    },

    async close() {
      // The pool itself is the application's.
      pool.off('error', dropped)
    },
  }

  /** Erases locked records, leaves marks, and writes what is owed. */
  async function removeLocked(
    ask: Ask,
    removed: readonly StoredEntry[],
    owe: Owe | undefined,
    marks?: readonly unknown[],
  ): Promise<void> {
    const owed = removed.length > 0 ? (owe?.(removed) ?? []) : []
    const values = recordsValues(owed)
    const ids = [...removed, ...owed].map(({ id }) => id)
    if (marks !== undefined) await ask(sql.eraseAndMark, [ids, ...marks])
    else if (ids.length > 0) await ask(sql.erase, [ids])
    if (owed.length > 0) await ask(sql.write, values)
  }
}

/** So many marks or claims are swept in one transaction, and so many times in one sweep. */
const BATCH = 1_000
const BATCHES = 20
