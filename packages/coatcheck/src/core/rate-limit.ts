/** Allows a burst, and then a steady trickle. */
export interface RateLimit {
  /** `true` when something may be done now; each `true` uses up one. */
  take(): boolean
}

/**
 * A bucket of `capacity` that starts full and gains one every so many milliseconds. Unlike a fixed cool-down it
 * lets two things that happen in the same second both have their turn.
 */
export function createRateLimit(
  capacity: number,
  refillMilliseconds: number,
  now: () => number,
): RateLimit {
  let level = capacity
  let filledAt = now()

  return {
    take() {
      const time = now()
      // A clock that was set back neither fills the bucket nor stops it for long.
      const passed = Math.max(0, time - filledAt)
      level = Math.min(capacity, level + passed / refillMilliseconds)
      filledAt = time
      if (level < 1) return false
      level -= 1
      return true
    },
  }
}
