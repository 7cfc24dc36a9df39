import type { Ask } from './database.ts'
import { unusable } from './failure.ts'
import type { Tables } from './names.ts'
import { FORMAT } from './schema.ts'

/** Rejects `store_unusable` where the server or the schema is none that the store can work with. */
export async function checkDatabase(ask: Ask, tables: Tables): Promise<void> {
  await checkServer(ask)
  await checkFormat(ask, tables)
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
