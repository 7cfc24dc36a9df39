import { AuthError } from '../../errors.ts'

/**
 * Whether something failed for want of the store: then nobody is signed in or out by it, no cookie
 * changes, and a sign-out that was heard waits.
 */
export function isStoreFailure(error: unknown): error is AuthError {
  if (!(error instanceof AuthError)) return false
  return error.code === 'store_unavailable' || error.code === 'store_unusable'
}
