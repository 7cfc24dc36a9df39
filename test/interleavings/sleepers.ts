/** A clock that stands still until somebody moves it, and those who wait for it. */
export interface Sleepers {
  now(): number
  /** Resolves when the clock gets there, or when the signal fires. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
  /** When the first of them wakes. */
  readonly next: number | undefined
  /** Moves the clock and wakes whom it concerns. */
  forwardTo(time: number): void
}

/** A clock that begins on a full second, as `iat` counts. */
export function startSleepers(): Sleepers {
  const waiting = new Set<{ at: number; wake: () => void }>()
  // Real time, since some signatures are checked against the machine's clock.
  let now = Math.floor(Date.now() / 1000) * 1000

  return {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const sleeper = { at: now + milliseconds, wake: done }
        function done(): void {
          waiting.delete(sleeper)
          signal?.removeEventListener('abort', done)
          resolve()
        }
        waiting.add(sleeper)
        signal?.addEventListener('abort', done)
      }),
    get next() {
      let first: number | undefined
      for (const { at } of waiting) if (first === undefined || at < first) first = at
      return first
    },
    forwardTo(time) {
      now = Math.max(now, time)
      for (const { at, wake } of [...waiting]) if (at <= now) wake()
    },
  }
}
