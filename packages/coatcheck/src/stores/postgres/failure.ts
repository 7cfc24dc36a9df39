import { AuthError } from '../../errors.ts'

/** Somebody has to change something before the store can work; `message` says what. */
export function unusable(message: string): AuthError {
  return new AuthError('store_unusable', message)
}

/**
 * What `pg` or the server said, without what they attach to it: details and contexts can hold ids
 * and parameters. What waiting does not help is told as `store_unusable`.
 */
export function toFailure(thrown: unknown, schema: string): Error {
  if (thrown instanceof AuthError) return thrown
  if (!(thrown instanceof Error)) return new Error('The pool threw what is no Error.')
  const code = codeOf(thrown)
  const advice = code === undefined ? undefined : ADVICE[code]?.(schema)
  if (advice !== undefined) return unusable(`${advice} Postgres says: ${thrown.message}`)
  const failure = new Error(
    thrown.message || `The connection failed: ${code ?? 'no reason given'}.`,
  )
  return code === undefined ? failure : Object.assign(failure, { code })
}

/** Whether the same transaction may succeed when it is begun once more, and did nothing so far. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(codeOf(error) ?? '')
}

/** Whether the server answered and goes on to serve this connection. */
export function isAnswer(error: unknown): boolean {
  const severity = error instanceof Error ? Reflect.get(error, 'severity') : undefined
  return severity === 'ERROR'
}

function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : undefined
}

/** Serialization failure, deadlock, and somebody wrote the same successor at the same time. */
const RETRYABLE: ReadonlySet<string> = new Set(['40001', '40P01', '23505'])

const notMigrated = (schema: string): string =>
  `The schema ${schema} of the Postgres store is not there or not complete: run migratePostgres(pool) once, ` +
  'as a role that may create it, and give the store the same schema and database.'
const notAllowed = (schema: string): string =>
  `The role of the Postgres store needs USAGE on the schema ${schema} and SELECT, INSERT, UPDATE and DELETE on its tables.`
const notAdmitted = (): string =>
  'The Postgres server does not admit the pool: correct its user, password or database.'

const ADVICE: Readonly<Record<string, (schema: string) => string>> = {
  '3F000': notMigrated,
  '42P01': notMigrated,
  '42703': notMigrated,
  '42883': notMigrated,
  '42501': notAllowed,
  '3D000': notAdmitted,
  '28000': notAdmitted,
  '28P01': notAdmitted,
  '25006': () =>
    'The Postgres server is read-only: give the pool the primary (target_session_attrs=read-write), never a standby.',
}
