import type { Ask, Database } from './database.ts'
import { unusable } from './failure.ts'
import type { Tables } from './names.ts'
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

  async function on<T>(work: () => Promise<T>): Promise<T> {
    try {
      if (!checked) {
        await checkServer(database.ask)
        await checkFormat(database.ask, tables)
        checked = true
      }
      return await work()
    } catch (error) {
      checked = false
      throw error
    }
  }

  return {
    ask: (text, values) => on(() => database.ask(text, values)),
    transact: (begin, work) => on(() => database.transact(begin, work)),
  }
}

/** Rejects where the server is another product, too old, or a standby. */
export async function checkServer(ask: Ask): Promise<void> {
  const [row] = await ask(
    `SELECT pg_is_in_recovery() AS standby, version() LIKE 'PostgreSQL %' AS genuine,
       current_setting('server_version_num') AS version`,
    [],
  )
  // Others speak its language, and take an advisory lock for a word without meaning.
  if (row?.['genuine'] !== 't')
    throw unusable('postgresStore needs PostgreSQL, and no other server.')
  const version = Number(row['version'])
  if (version >= OLDEST) return
  throw unusable(
    `postgresStore needs PostgreSQL 13 or newer: upgrade this server, which is ${Math.floor(version / 10_000)}.`,
  )
}

/** Rejects where the tables are of another format. */
export async function checkFormat(ask: Ask, { schema, format }: Tables): Promise<void> {
  const [row] = await ask(`SELECT version FROM ${format}`, [])
  const version = row?.['version']
  if (Number(version) === FORMAT) return
  throw unusable(
    `The schema ${schema} holds coatcheck records of format ${version ?? 'unknown'}, and this ` +
      `version reads format ${FORMAT}. Use the version of coatcheck that wrote them, or another ` +
      'schema: then everybody has to sign in again.',
  )
}

const OLDEST = 130_000
