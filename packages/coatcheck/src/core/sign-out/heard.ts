import { AuthError } from '../../errors.ts'
import type { SignOutCause } from '../../events.ts'
import type { Context } from '../context.ts'
import { isStoreFailure } from '../tokens/store-failure.ts'

/**
 * A sign-out that was heard is not lost: where the store fails in the middle, all of it is done
 * again as soon as the store answers. Who asked is told of the failure all the same. `work` is
 * told when it is done `again`: by then somebody may have signed in anew, who must stay.
 */
export async function heard<T>(
  context: Context,
  cause: SignOutCause,
  work: (again: boolean) => Promise<T>,
  /** At most so many may wait where anybody could have asked. */
  most?: number,
): Promise<T> {
  try {
    return await work(false)
  } catch (error) {
    if (isStoreFailure(error)) {
      const lost = (why: unknown): void => tellLost(context, cause, why)
      const kept = context.deferred.add({ work: () => work(true), lost }, most)
      context.emit({ type: kept ? 'sign_out_deferred' : 'sign_out_lost', cause })
    }
    throw error
  }
}

/**
 * The store's time at which something was heard, at `at` by our clock. Too late rather than too
 * early, by as long as the question was on its way: a mark that is a moment too early lets in a
 * sign-in that began before the sign-out. What is done `again` must be exact, since whoever signed
 * in after they had been told of the failure stays: it asks until an answer comes soon.
 */
export async function storeTimeOf(context: Context, at: number, again: boolean): Promise<number> {
  const { environment, store } = context
  let latest = Number.POSITIVE_INFINITY
  for (let left = again ? MOST_QUESTIONS : 1; left > 0; left -= 1) {
    const asked = environment.now()
    latest = Math.min(latest, (await store.now()) - (asked - at))
    if (environment.now() - asked <= SOON) break
  }
  return latest
}

/** In milliseconds. */
const SOON = 20
const MOST_QUESTIONS = 5

function tellLost(context: Context, cause: SignOutCause, why: unknown): void {
  if (why instanceof AuthError && why.code.startsWith('logout_token')) {
    context.emit({ type: 'logout_refused', code: why.code, reason: why.message })
    return
  }
  context.emit({ type: 'sign_out_lost', cause })
  if (why !== undefined) context.emit({ type: 'worker_failed', error: String(why) })
}
