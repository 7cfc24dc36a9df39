import { AuthError } from '../../errors.ts'
import type { Context } from '../context.ts'

/** What somebody who looked found out. */
export interface Round {
  /** Milliseconds until there is something to do. */
  readonly next: number
  /** Milliseconds spent on looking, without what was done about what was found. */
  readonly took: number
}

/** Something that is done again and again. */
export interface Rounds {
  /** Begins a round at once, or as soon as the pause after the last one is over. */
  wake(): void
  /** Resolves when the signal has fired and what was under way is done. */
  readonly ended: Promise<void>
}

/** Where there is nothing to do, or the store fails. Milliseconds. */
export const ROUND = 5_000
/** However soon there is something to do. */
const SHORTEST = 250
/** A clock that is set while somebody looks does not stop the rounds for longer. */
const LONGEST_PAUSE = 60_000
/** With a reason of ours nobody makes an error with a stack, for each sign-out. */
const WOKEN = 'woken'

/**
 * Does rounds until the signal fires. After one there is a pause for as long as it looked, which
 * nobody cuts short: with very much to look through, and something due or owed at every moment, half
 * of the time is left to others. After a look that took no time whoever wakes it is served at once.
 */
export function startRounds(
  { environment, emit }: Pick<Context, 'environment' | 'emit'>,
  round: () => Promise<Round>,
  signal: AbortSignal,
): Rounds {
  let waking = new AbortController()

  async function run(): Promise<void> {
    while (!signal.aborted) {
      waking = new AbortController()
      const { next, took } = await round().catch((error: unknown): Round => {
        // The store told `observe` already; anything else is our own fault and must be seen.
        if (!(error instanceof AuthError)) emit({ type: 'worker_failed', error: String(error) })
        return { next: ROUND, took: 0 }
      })
      const pause = Math.min(Math.max(took, 0), LONGEST_PAUSE)
      if (pause > 0) await environment.wait(pause, signal)
      if (signal.aborted) return
      const rest = Math.max(next, SHORTEST) - pause
      if (rest > 0) await environment.wait(rest, AbortSignal.any([waking.signal, signal]))
    }
  }

  return { wake: () => waking.abort(WOKEN), ended: Promise.resolve().then(run) }
}
