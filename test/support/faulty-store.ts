import { AuthError, type TokenStore } from '#coatcheck'
import type { Clock } from './application.ts'

/** What may be wrong with one call. */
export type Fault =
  /** Rejected at once; nothing was done. */
  | 'refused'
  /** Done, and then rejected: the answer was lost on its way. */
  | 'refused though done'
  /** Never answered, never done. */
  | 'unanswered'
  /** Done at once, never answered. */
  | 'unanswered though done'
  /** Never answered; done when the test says {@link FaultyStore.release}. */
  | 'unanswered and done late'
  /** Rejected in the store's own words: somebody has to act. */
  | 'unusable'
  /** Done and answered after so many milliseconds. */
  | { readonly after: number }

type Operation = keyof TokenStore

/** A store that fails as a test wants it to. */
export interface FaultyStore extends TokenStore {
  /** Asked before each call: what is wrong with it. */
  fault: ((operation: Operation, at: number, id: unknown) => Fault | undefined) | undefined
  /** What was called since the faults were last set; the place in it is the `at` of a fault. */
  readonly calls: readonly Operation[]
  /** When something was wrong for the first time since then. */
  readonly struckAt: number | undefined
  /** Calls under way that a test may still have done. */
  readonly late: number
  /** Has done what was given up long ago, in its order. */
  release(): Promise<void>
  /** Every id that records were ever written under. */
  readonly written: ReadonlySet<string>
}

/** What a driver may say: it repeats what it was sent. */
export const DRIVER_SAYS = 'connection to a-secret-host-name lost'
/** What a store says when somebody has to act. */
export const ACT = 'The server is a read-only replica: connect to the primary.'

/** Faults over another store, which does what is done. */
export function faultyStore(inner: TokenStore, clock: Pick<Clock, 'now' | 'wait'>): FaultyStore {
  let fault: FaultyStore['fault']
  let calls: Operation[] = []
  let struckAt: number | undefined
  const late: (() => Promise<unknown>)[] = []
  const written = new Set<string>()

  function at<Rest extends unknown[], T>(
    operation: Operation,
    work: (...rest: Rest) => T,
  ): (...rest: Rest) => T {
    return (...rest) => {
      calls.push(operation)
      const wrong = fault?.(operation, calls.length, rest[0])
      if (wrong === undefined) return work(...rest)
      struckAt ??= clock.now()
      return broken(wrong, async () => work(...rest)) as T
    }
  }

  async function broken(wrong: Fault, work: () => Promise<unknown>): Promise<unknown> {
    switch (wrong) {
      case 'refused':
        throw new Error(DRIVER_SAYS)
      case 'refused though done':
        await work()
        throw new Error(DRIVER_SAYS)
      case 'unusable':
        throw new AuthError('store_unusable', ACT)
      case 'unanswered':
        return forever()
      case 'unanswered though done':
        await work()
        return forever()
      case 'unanswered and done late':
        late.push(work)
        return forever()
      default:
        await clock.wait(wrong.after)
        return work()
    }
  }

  return {
    now: at('now', inner.now),
    get: at('get', inner.get),
    insert: at('insert', (id, record) => {
      written.add(id)
      return inner.insert(id, record)
    }),
    replace: at('replace', inner.replace),
    remove: at('remove', inner.remove),
    removeAll: at('removeAll', inner.removeAll),
    list: at('list', inner.list),
    claim: at('claim', inner.claim),
    sweep: at('sweep', inner.sweep),
    isEmpty: at('isEmpty', inner.isEmpty),
    close: at('close', inner.close),
    get fault() {
      return fault
    },
    set fault(next) {
      fault = next
      calls = []
      struckAt = undefined
    },
    get calls() {
      return calls
    },
    get struckAt() {
      return struckAt
    },
    get late() {
      return late.length
    },
    async release() {
      for (const work of late.splice(0)) await work()
    },
    written,
  }
}

function forever(): Promise<never> {
  return new Promise(() => {
    // As a driver with an offline queue, or a connection nobody holds the other end of.
  })
}
