import type { Context } from '../context.ts'

/**
 * Has something done as soon as the store is back, that nobody waits for. `what` names it for the
 * operator, who hears of it where it comes to nothing; `ended` is called then too.
 */
export function defer(
  context: Context,
  what: string,
  work: () => Promise<unknown>,
  ended?: () => void,
): void {
  const lost = (why: unknown = 'the store was away too long'): void => {
    ended?.()
    context.emit({ type: 'worker_failed', error: `${what} was lost: ${String(why)}` })
  }
  if (!context.deferred.add({ work, lost })) lost()
}
