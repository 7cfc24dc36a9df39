import type { Environment } from '../environment.ts'

/** Tells a burst of sign-outs from the pause after it. */
export interface Lull {
  /** A sign-out was carried out. */
  disturb(): void
  /** Resolves at once, or in a burst when it is over or has lasted too long, or the signal fires. */
  come(signal: AbortSignal): Promise<void>
}

/** Sign-outs that are no further apart are a burst, in milliseconds. */
const QUIET = 50
/** Nobody waits for a burst that lasts longer: a provider has to be told soon. */
const LONGEST = 2_000

/**
 * What a sign-out owes the provider costs more than the sign-out, here and there. So that it does not
 * keep those who are still to be signed out waiting, it waits itself: for a moment without sign-outs.
 * Counts and does not compare times: a clock that is set anew makes no burst longer.
 */
export function createLull({ wait }: Pick<Environment, 'wait'>): Lull {
  let seen = 0
  let turns = 0
  let watching: Promise<void> | undefined

  async function watch(): Promise<void> {
    for (let before = 0; seen > before; turns += 1) {
      before = seen
      await wait(QUIET)
    }
    seen = 0
    turns = 0
    watching = undefined
  }

  return {
    disturb() {
      seen += 1
      watching ??= watch()
    },
    async come(signal) {
      const left = LONGEST - turns * QUIET
      // One alone is no burst: the provider hears of it at once.
      if (seen > 1 && left > 0) await Promise.race([watching, wait(left, signal)])
    },
  }
}
