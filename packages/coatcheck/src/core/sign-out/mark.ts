import type { Context } from '../context.ts'
import { PENDING_LIFETIME } from '../sign-in/pending.ts'
import type { Established, Mark } from '../tokens/store.ts'

/** A mark that outlives every session and every sign-in under way. */
export function markUntil(
  context: Context,
  clock: keyof Established,
  establishedUntil: number,
  now: number,
): Mark {
  return { clock, establishedUntil, keepUntil: keptUntil(context, now) }
}

/** When what is said now of sign-ins may be forgotten: every session and every sign-in under way is over. */
export function keptUntil({ configuration }: Context, now: number): number {
  return now + configuration.lifetime + 2 * PENDING_LIFETIME
}
