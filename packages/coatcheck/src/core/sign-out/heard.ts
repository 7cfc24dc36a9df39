import { AuthError } from '../../errors.ts'
import type { SignOutCause } from '../../events.ts'
import type { Context } from '../context.ts'

/**
 * A sign-out that was heard is not lost: where the store fails in the middle, all of it is done
 * again as soon as the store answers. Who asked is told `store_unavailable` all the same.
 */
export async function heard<T>(
  context: Context,
  cause: SignOutCause,
  work: () => Promise<T>,
  /** At most so many may wait where anybody could have asked. */
  most?: number,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AuthError && error.code === 'store_unavailable') {
      const kept = context.deferred.add(work, most)
      context.emit({ type: kept ? 'sign_out_deferred' : 'sign_out_lost', cause })
    }
    throw error
  }
}
