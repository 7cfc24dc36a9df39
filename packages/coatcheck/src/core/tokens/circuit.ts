import type { Environment } from '../environment.ts'

/** Whether a store that fell silent is asked at all. */
export interface Circuit {
  /** While it is open, calls fail at once: nobody waits for what did not answer the one before. */
  readonly isOpen: boolean
  /** Nothing was answered in time. */
  open(): void
  /** Something was. */
  close(): void
  /** No more probes: it closes for good, and each call finds out by itself. */
  stop(): void
}

/** From the first probe to the second; twice as long after each one that came to nothing. */
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 5000

/**
 * A circuit that is closed to begin with. While it is open, `probe` is called, never twice at
 * once, the first time at once: so it closes by itself, no user's request is spent on trying, and
 * a single call that hung where all else is well costs the others next to nothing. The pauses grow
 * since a probe is written to the connection: one that is dead and has a time limit for silence is
 * given up by its driver only where we are silent for longer.
 */
export function createCircuit(
  { wait }: Pick<Environment, 'wait'>,
  probe: () => Promise<boolean>,
): Circuit {
  let pausing = new AbortController()
  let isOpen = false
  let isProbing = false
  let isStopped = false

  async function probing(): Promise<void> {
    let pause = FIRST_PAUSE
    while (isOpen) {
      const paused = wait(pause, pausing.signal)
      if (await probe()) close()
      await paused
      pause = Math.min(pause * 2, LONGEST_PAUSE)
    }
    isProbing = false
  }

  function close(): void {
    isOpen = false
    pausing.abort()
  }

  return {
    get isOpen() {
      return isOpen
    },
    open() {
      if (isStopped || isOpen) return
      isOpen = true
      pausing = new AbortController()
      if (isProbing) return
      isProbing = true
      void probing()
    },
    close,
    stop() {
      isStopped = true
      close()
    },
  }
}
