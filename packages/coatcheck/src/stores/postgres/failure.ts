import { AuthError } from '../../errors.ts'

/** Somebody has to change something before the store can work; `message` says what. */
export function unusable(message: string, cause?: unknown): AuthError {
  return new AuthError('store_unusable', message, { cause })
}

/**
 * What `pg` or the server said, without what they attach to it: details and contexts can hold ids
 * and parameters. What waiting does not help is told as `store_unusable`.
 */
export function toFailure(thrown: unknown, schema: string): Error {
  if (thrown instanceof AuthError) return thrown
  if (!(thrown instanceof Error)) return new Error('The pool threw what is no Error.')
  const code = codeOf(thrown)
  const failure = new Error(thrown.message || 'The connection failed.')
  if (code !== undefined) Object.assign(failure, { code })
  const advice = ADVICE[code ?? '']
  return advice === undefined ? failure : unusable(advice(schema), failure)
}

/** Whether the same transaction, which was undone, may succeed when it is begun once more. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(codeOf(error) ?? '')
}

/**
 * Whether the server answered, and is worth asking again on this connection. One that can only be
 * read is not: a primary that was made a standby keeps its connections.
 */
export function isAnswer(error: unknown): boolean {
  if (!(error instanceof Error) || codeOf(error) === READ_ONLY) return false
  // In the server's language, so that it says no more than who speaks.
  return typeof Reflect.get(error, 'severity') === 'string'
}

/** What to do where a server follows another. */
export const STANDBY: string =
  'This Postgres server is a standby or read-only: give postgresStore a pool of the primary, and ' +
  'never one that reads from a replica, which may not know yet who was signed out.'

function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : undefined
}

const READ_ONLY = '25006'
/** Serialization failure, deadlock, and somebody wrote the same successor at the same time. */
const RETRYABLE: ReadonlySet<string> = new Set(['40001', '40P01', '23505'])

function notMigrated(schema: string): string {
  return (
    `The tables of postgresStore are not in the schema ${schema} of this database, or not as it ` +
    'makes them: await migratePostgres(pool) once, as a role that may create them, with the same ' +
    'schema and database.'
  )
}

function notAllowed(schema: string): string {
  return (
    `The role of postgresStore may not use its tables: GRANT USAGE ON SCHEMA ${schema}, and ` +
    `SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema}.`
  )
}

function notAdmitted(): string {
  return 'Postgres does not admit the pool of postgresStore: correct its user, password or database.'
}

/** By the codes of Postgres, appendix A. */
const ADVICE: Readonly<Record<string, (schema: string) => string>> = {
  '3F000': notMigrated,
  '42P01': notMigrated,
  '42703': notMigrated,
  '42501': notAllowed,
  '3D000': notAdmitted,
  '28000': notAdmitted,
  '28P01': notAdmitted,
  [READ_ONLY]: () => STANDBY,
}
