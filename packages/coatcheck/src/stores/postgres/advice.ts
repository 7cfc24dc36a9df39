import type { Tables } from './names.ts'

/** What to do where nothing is there. */
export function notMigrated(schema: string): string {
  return (
    `The tables of postgresStore are not in the schema ${schema} of this database: await ` +
    'migratePostgres(pool) once, as a role that may create them, with the same schema and database.'
  )
}

/** What to do where something is there, and this is not. To make it anew is what must not be done. */
export function incomplete({ schema, ...tables }: Tables, gone: string): string {
  return (
    `What postgresStore keeps in the schema ${schema} is no longer whole, this is gone: ${gone}. ` +
    'Made anew, it would not know who is signed in and who was signed out. Restore the backup of ' +
    'the whole schema, or stop the application and drop the rest, whereupon everybody has to sign ' +
    `in again: DROP TABLE IF EXISTS ${Object.values(tables).join(', ')}. Where these are tables of ` +
    'something else, give postgresStore another schema.'
  )
}

/** What to do where the role may not make the schema. */
export function notAllowedToMake(schema: string): string {
  return (
    `The role of this pool may not make the schema ${schema} and its tables. Either GRANT CREATE ON ` +
    'DATABASE to it (or CREATE ON SCHEMA, where the schema is there), or call migratePostgres with ' +
    'a pool of a role that may, or let somebody run what postgresSchema() prints. The role of ' +
    `postgresStore itself only needs USAGE ON SCHEMA ${schema}, and SELECT, INSERT, UPDATE, DELETE ` +
    `ON ALL TABLES IN SCHEMA ${schema}.`
  )
}

/** What to do where the tables are others. */
export function notAsMade(schema: string): string {
  return (
    `The tables in the schema ${schema} are not as postgresStore makes them: give it another ` +
    'schema where they are of something else, or else restore the backup of the whole schema.'
  )
}

/** What to do where the role may not use the tables. */
export function notAllowed(schema: string): string {
  return (
    `The role of postgresStore may not use its tables: GRANT USAGE ON SCHEMA ${schema}, and ` +
    `SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema}.`
  )
}

/** What to do where nobody gets in. */
export function notAdmitted(): string {
  return 'Postgres does not admit the pool of postgresStore: correct its user, password or database.'
}

/** What to do where a server follows another. */
export const STANDBY: string =
  'This Postgres server is a standby or read-only: give postgresStore a pool of the primary, and ' +
  'never one that reads from a replica, which may not know yet who was signed out.'
