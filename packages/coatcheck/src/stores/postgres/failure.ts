import { AuthError } from '../../errors.ts'
import { notAdmitted, notAllowed, notAsMade, notMigrated, STANDBY } from './advice.ts'

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
  // Our own words: those of `incomplete`.
  if (code === INCOMPLETE) return unusable(failure.message, failure)
  const advice = ADVICE[code ?? '']
  return advice === undefined ? failure : unusable(advice(schema), failure)
}

/** Whether the same transaction, which was undone, may succeed when it is begun once more. */
export function isRetryable(error: unknown): boolean {
  return RETRYABLE.has(codeOf(error) ?? '')
}

/** Whether tables, columns or keys are not there, or not as they are made. */
export function isMisshapen(error: unknown): boolean {
  return error instanceof AuthError && MISSHAPEN.has(codeOf(error.cause) ?? '')
}

/** Whether the role may not do what was asked. */
export function isRefused(error: unknown): boolean {
  return error instanceof AuthError && codeOf(error.cause) === NOT_ALLOWED
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

function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' ? code : undefined
}

/** By which the statements of `postgresSchema` say `incomplete`. */
export const INCOMPLETE = 'CC001'

const READ_ONLY = '25006'
const NOT_ALLOWED = '42501'
const MISSHAPEN: ReadonlySet<string> = new Set(['3F000', '42P01', '42703', '42P10'])
/** Serialization failure, deadlock, and somebody wrote the same successor at the same time. */
const RETRYABLE: ReadonlySet<string> = new Set(['40001', '40P01', '23505'])

/** By the codes of Postgres, appendix A. */
const ADVICE: Readonly<Record<string, (schema: string) => string>> = {
  '3F000': notMigrated,
  '42P01': notMigrated,
  '42703': notAsMade,
  '42P10': notAsMade,
  [NOT_ALLOWED]: notAllowed,
  '3D000': notAdmitted,
  '28000': notAdmitted,
  '28P01': notAdmitted,
  [READ_ONLY]: () => STANDBY,
}
