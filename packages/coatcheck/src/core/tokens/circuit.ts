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

const PROBE_EVERY = 1000

/**
 * A circuit that is closed to begin with. While it is open, `probe` is called about every second,
 * never twice at once, the first time at once: so it closes by itself, no user's request is spent
 * on trying, and a single call that hung where all else is well costs the others next to nothing.
 */
export function createCircuit(
  { wait }: Pick<Environment, 'wait'>,
  probe: () => Promise<boolean>,
): Circuit {
  const stopping = new AbortController()
  let isOpen = false
  let isProbing = false

  async function probing(): Promise<void> {
    while (isOpen && !stopping.signal.aborted) {
      if (await probe()) break
      if (isOpen) await wait(PROBE_EVERY, stopping.signal)
    }
    isOpen = false
    isProbing = false
  }

  return {
    get isOpen() {
      return isOpen
    },
    open() {
      if (stopping.signal.aborted) return
      isOpen = true
      if (isProbing) return
      isProbing = true
      void probing()
    },
    close() {
      isOpen = false
    },
    stop() {
      isOpen = false
      stopping.abort()
    },
  }
}
