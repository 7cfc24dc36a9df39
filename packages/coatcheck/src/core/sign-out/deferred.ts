import type { Environment } from '../environment.ts'
import { isStoreFailure } from '../tokens/store-failure.ts'

/** Something that was promised and could not be done for want of the store. */
export interface Promised {
  /** Does it; rejects with a store's failure as long as it cannot be done. */
  readonly work: () => Promise<unknown>
  /** Hears that it will not be done here: why, or nothing where time was up. */
  readonly lost: (error: unknown) => void
}

/** Keeps promises until the store is back. */
export interface Deferred {
  /**
   * Adds one. `false` where `most` are waiting already, since what anybody can ask for must not
   * fill the memory, and after the end.
   */
  add(promised: Promised, most?: number): boolean
  /** How many are waiting. */
  readonly size: number
  /** Goes on trying for ten seconds at most, until all is done, and stops. */
  close(): Promise<void>
}

const FIRST_PAUSE = 250
const LONGEST_PAUSE = 5_000
const MOST = 100_000
/** In a row, where the store answers something else: then it is left alone for a while. */
const MOST_FAILURES = 10
/** A process that is to end does not wait longer for a store that may not come back. */
const CLOSE_WITHIN = 10_000
/** Between two tries in that time: not so short that we keep a dead connection alive. */
const CLOSE_PAUSE = 2_000

/**
 * An empty list that tries what is in it, in its order, with growing pauses. `answers` says
 * whether the store is there at all: then what fails goes behind the others, so that it does
 * not hold them up; otherwise one try is enough.
 */
export function createDeferred(
  environment: Pick<Environment, 'wait'>,
  answers: () => Promise<boolean>,
): Deferred {
  const waiting = new Set<Promised>()
  const closing = new AbortController()
  const timeUp = new AbortController()
  let running: Promise<void> | undefined
  let ended: Promise<void> | undefined

  async function run(): Promise<void> {
    let pause = FIRST_PAUSE
    while (waiting.size > 0 && !closing.signal.aborted) {
      await environment.wait(pause, closing.signal)
      pause = (await tryAll()) ? FIRST_PAUSE : Math.min(pause * 2, LONGEST_PAUSE)
    }
    running = undefined
  }

  /** Whether anything got done. */
  async function tryAll(): Promise<boolean> {
    let done = false
    let left = waiting.size
    let failures = 0
    for (const promised of waiting) {
      if (timeUp.signal.aborted || left === 0 || failures === MOST_FAILURES) break
      left -= 1
      if (await isDone(promised)) {
        done = true
        failures = 0
        waiting.delete(promised)
      } else if (!timeUp.signal.aborted && (await answers())) {
        failures += 1
        waiting.delete(promised)
        waiting.add(promised)
      } else break
      await letOthersIn()
    }
    return done
  }

  async function end(): Promise<void> {
    void environment.wait(CLOSE_WITHIN, timeUp.signal).then(() => timeUp.abort())
    closing.abort()
    await running
    while (waiting.size > 0 && !timeUp.signal.aborted) {
      const pause = (await tryAll()) ? FIRST_PAUSE : CLOSE_PAUSE
      if (waiting.size > 0) await environment.wait(pause, timeUp.signal)
    }
    timeUp.abort()
    for (const { lost } of waiting) lost(undefined)
    waiting.clear()
  }

  return {
    add(promised, most = MOST) {
      if (timeUp.signal.aborted || waiting.size >= most) return false
      waiting.add(promised)
      running ??= run()
      return true
    },
    get size() {
      return waiting.size
    },
    close() {
      ended ??= end()
      return ended
    },
  }
}

/** What the store fails again stays; any other failure is its answer. */
async function isDone({ work, lost }: Promised): Promise<boolean> {
  try {
    await work()
  } catch (error) {
    if (isStoreFailure(error)) return false
    lost(error)
  }
  return true
}

/** Thousands may wait, and a store in this process answers at once. */
function letOthersIn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
