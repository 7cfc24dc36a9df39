/** Allows a burst, and then a steady trickle. */
export interface TokenBucket {
  /** `true` when something may be done now; each `true` uses up one. */
  take(): boolean
}

/**
 * A bucket that starts full and gains one every so many milliseconds. Unlike a fixed cool-down it
 * lets two things that happen in the same second both have their turn.
 */
export function createTokenBucket(
  capacity: number,
  refillMilliseconds: number,
  now: () => number,
): TokenBucket {
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
