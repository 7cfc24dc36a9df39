import type { Ask, Row } from './database.ts'
import { unusable } from './failure.ts'
import type { Tables } from './names.ts'
import { isTrue } from './rows.ts'
import { FORMAT } from './schema.ts'

/** Rejects `store_unusable` where the server or the schema is none that the store can work with. */
export async function checkDatabase(ask: Ask, tables: Tables): Promise<void> {
  await checkServer(ask)
  const [row] = await ask(`SELECT version FROM ${tables.format}`, [])
  checkFormat(row?.['version'], tables)
}

/** The part of {@link checkDatabase} that is about the server. */
export async function checkServer(ask: Ask): Promise<void> {
  const [row] = await ask(
    "SELECT version() AS product, current_setting('server_version_num') AS number, pg_is_in_recovery() AS standby",
    [],
  )
  const product = row?.['product'] ?? ''
  // Others speak its language, and take an advisory lock for a word without meaning.
  if (!product.startsWith('PostgreSQL ')) {
    throw unusable(`postgresStore needs PostgreSQL. This is ${product.slice(0, 40)}.`)
  }
  if (Number(row?.['number']) < OLDEST) {
    throw unusable(`postgresStore needs PostgreSQL 13 or newer. This is ${product.slice(0, 40)}.`)
  }
  refuseStandby(row)
}

/** Rejects an answer that came from a server which only follows another: it may lag. */
export function refuseStandby(row: Row | undefined): void {
  if (!isTrue(row, 'standby')) return
  throw unusable(
    'This Postgres server is a standby and may lag: give the pool of postgresStore the primary.',
  )
}

/** Throws where the tables are of another format. */
export function checkFormat(version: string | null | undefined, { schema }: Tables): void {
  if (Number(version) === FORMAT) return
  throw unusable(
    `The schema ${schema} holds coatcheck records of format ${version ?? 'unknown'}, and this version ` +
      `reads format ${FORMAT}. Use the version of coatcheck that wrote them, or another schema: ` +
      'then everybody has to sign in again.',
  )
}

const OLDEST = 130_000
