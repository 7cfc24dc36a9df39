import type { Context } from '../context.ts'
import { PENDING_LIFETIME } from '../sign-in/pending.ts'
import type { Established, Mark } from '../tokens/store.ts'

/** A mark that outlives every session and every sign-in under way. */
export function markUntil(
  { configuration }: Context,
  clock: keyof Established,
  establishedUntil: number,
  now: number,
): Mark {
  const keepUntil = now + configuration.lifetime + 2 * PENDING_LIFETIME
  return { clock, establishedUntil, keepUntil }
}
