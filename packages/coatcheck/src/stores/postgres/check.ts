import { incomplete, notMigrated } from './advice.ts'
import type { Ask, Database, Row } from './database.ts'
import { isMisshapen, unusable } from './failure.ts'
import { inventoryOf } from './inventory.ts'
import type { Tables } from './names.ts'
import { isTrue } from './rows.ts'
import { FORMAT } from './schema.ts'

/**
 * The same database, looked at before it is asked for the first time, and again after anything
 * failed: the server or the tables may be others then. Rejects `store_unusable` where the store
 * cannot work with them.
 */
export function checkedDatabase(
  database: Database,
  tables: Tables,
): Pick<Database, 'ask' | 'transact'> {
  let checked = false

  async function check(): Promise<void> {
    if (!(await isThere(database.ask, tables))) throw unusable(notMigrated(tables.schema))
  }

  async function on<T>(work: () => Promise<T>): Promise<T> {
    try {
      if (!checked) await check()
      checked = true
      return await work()
    } catch (error) {
      checked = false
      // Some or all of the tables: what to do differs.
      if (isMisshapen(error)) await check()
      throw error
    }
  }

  return {
    ask: (text, values) => on(() => database.ask(text, values)),
    transact: (begin, work) => on(() => database.transact(begin, work)),
  }
}

/**
 * Whether the tables are there. Rejects where they are of another format, where something of them
 * is gone, and where the server is another product, too old, or a standby.
 */
export async function isThere(ask: Ask, tables: Tables): Promise<boolean> {
  const { parts, version, lost } = inventoryOf(tables)
  const [row] = await ask(`SELECT ${SERVER}, parts.* FROM (${parts}) parts`, [BYTES, NUMBER])
  checkServer(row)
  if (!isTrue(row, 'begun')) return false
  const missing = row?.['missing'] ?? null
  const rest = missing === null ? lost : 'NULL'
  const [kept] = isTrue(row, 'versioned')
    ? await ask(`SELECT ${version} AS version, ${rest} AS lost`, [])
    : []
  checkFormat(kept, tables)
  const gone = missing ?? kept?.['lost'] ?? null
  if (gone !== null) throw unusable(incomplete(tables, gone))
  return true
}

function checkServer(row: Row | undefined): void {
  if (row?.['bytes'] !== BYTES.toString('base64') || row['number'] !== String(NUMBER)) {
    throw unusable(
      'The pool of postgresStore does not give back what it is given: make it without `binary`, ' +
        'as in new Pool({ connectionString }).',
    )
  }
  // Others speak its language, and take an advisory lock for a word without meaning.
  if (!isTrue(row, 'genuine'))
    throw unusable('postgresStore needs PostgreSQL, and no other server.')
  const version = Number(row['version'])
  if (version >= OLDEST) return
  throw unusable(
    `postgresStore needs PostgreSQL 13 or newer: upgrade this server, which is ${Math.floor(version / 10_000)}.`,
  )
}

function checkFormat(row: Row | undefined, { schema }: Tables): void {
  const version = row?.['version'] ?? null
  if (version === null || Number(version) === FORMAT) return
  throw unusable(
    `The schema ${schema} holds coatcheck records of format ${version}, and this version reads ` +
      `format ${FORMAT}. Use the version of coatcheck that wrote them, or another schema: then ` +
      'everybody has to sign in again.',
  )
}

const OLDEST = 130_000
const SERVER = `pg_is_in_recovery() AS standby, version() LIKE 'PostgreSQL %' AS genuine,
  current_setting('server_version_num') AS version,
  encode($1::bytea, 'base64') AS bytes, $2::float8 AS number`

/** Known bytes and a known number: both come back as they were, or nothing else does. */
const BYTES = Buffer.from([0, 255, 92, 39])
const NUMBER = 1.5
