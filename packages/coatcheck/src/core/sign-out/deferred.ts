import { AuthError } from '../../errors.ts'
import type { Environment } from '../environment.ts'

/** Work that was promised and could not be done for want of the store: done as soon as it can be. */
export interface Deferred {
  /**
   * Adds work that rejects as long as it cannot be done. `false` where `most` are waiting already:
   * what anybody can ask for must not fill the memory.
   */
  add(work: () => Promise<unknown>, most?: number): boolean
  /** How much is waiting. */
  readonly size: number
  /** Tries everything once more and stops. */
  close(): Promise<void>
}

const FIRST_PAUSE = 250
const LONGEST_PAUSE = 5_000
const MOST = 100_000

/** An empty list that tries what is in it, in its order, with growing pauses. */
export function createDeferred(environment: Pick<Environment, 'wait'>): Deferred {
  const waiting: (() => Promise<unknown>)[] = []
  const closing = new AbortController()
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    let pause = FIRST_PAUSE
    while (waiting.length > 0 && !closing.signal.aborted) {
      await environment.wait(pause, closing.signal)
      pause = (await tryAll()) ? FIRST_PAUSE : Math.min(pause * 2, LONGEST_PAUSE)
    }
    running = undefined
  }

  /** Whether anything got done. What the store fails again stays; other failures are its answer. */
  async function tryAll(): Promise<boolean> {
    let done = false
    for (const work of waiting.splice(0)) {
      try {
        await work()
        done = true
      } catch (error) {
        if (isStillAway(error)) waiting.push(work)
      }
    }
    return done
  }

  return {
    add(work, most = MOST) {
      if (waiting.length >= most) return false
      waiting.push(work)
      running ??= run()
      return true
    },
    get size() {
      return waiting.length
    },
    async close() {
      closing.abort()
      await running
      await tryAll()
    },
  }
}

function isStillAway(error: unknown): boolean {
  return error instanceof AuthError && error.code === 'store_unavailable'
}
