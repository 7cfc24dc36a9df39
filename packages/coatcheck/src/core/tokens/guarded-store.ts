import { AuthError } from '../../errors.ts'
import type { AuthEvent } from '../../events.ts'
import { causeCode } from '../cause-code.ts'
import type { Environment } from '../environment.ts'
import { createCircuit } from './circuit.ts'
import { createDeadline } from './deadline.ts'
import type { MaybePromise, TokenStore } from './store.ts'
import { isStoreFailure } from './store-failure.ts'

/** A store that answers within a limit, or rejects with an `AuthError`. */
export interface GuardedStore {
  /** Rejects with `store_unavailable`, or with the `AuthError` that the store itself threw. */
  readonly store: TokenStore
  /** Whether the store answers anything at all. */
  answers(): Promise<boolean>
  /**
   * Stops asking a store that does not answer: from now on every call does, for as long as a call
   * may take. The store itself stays open.
   */
  stop(): void
}

/** What a guard needs. */
export interface Guard {
  readonly environment: Pick<Environment, 'wait' | 'random'>
  /** So many milliseconds for one call. */
  readonly limit: number
  readonly emit: (event: AuthEvent) => void
}

/**
 * The store, with a limit to how long anybody waits for it, and every failure told in one way. A
 * call that was given up may still take effect at any time later: whoever calls must be content
 * with that, as with a process that dies before it hears the answer.
 */
export function guardStore(inner: TokenStore, { environment, limit, emit }: Guard): GuardedStore {
  const deadline = createDeadline(environment, limit)
  const circuit = createCircuit(environment, probe)
  /** What each operation failed with last, until it succeeds: told once, not once per request. */
  const failing = new Map<string, AuthError['code']>()
  /** The tick of the last answer that came in time. */
  let answeredAt = -1

  /** How a failure of the store is told. What is not the store's is passed on as it is. */
  function failed(operation: string, cause: unknown): unknown {
    if (cause instanceof AuthError && !isStoreFailure(cause)) return cause
    const error = isStoreFailure(cause) ? cause : failedWith(operation, cause)
    if (failing.get(operation) !== error.code) {
      failing.set(operation, error.code)
      emit({ type: 'store_failed', operation, code: error.code, reason: error.message })
    }
    return error
  }

  function gaveUp(operation: string): AuthError {
    return new AuthError(
      'store_unavailable',
      `The token store did not answer ${operation} within ${limit / 1000} seconds.`,
    )
  }

  function answered(operation: string): void {
    answeredAt = deadline.ticks
    if (failing.size > 0) failing.delete(operation)
    if (circuit.isOpen) circuit.close()
  }

  /** Waits for one answer, but not for long. */
  function inTime<T>(operation: string, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = deadline.begin(() => {
        // Where others were answered meanwhile, the store is there: only this call hangs.
        if (answeredAt <= wait.since) circuit.open()
        reject(failed(operation, gaveUp(operation)))
      })
      answer.then(
        (value) => {
          if (!deadline.end(wait)) return
          answered(operation)
          resolve(value)
        },
        (cause: unknown) => {
          if (deadline.end(wait)) reject(failed(operation, cause))
        },
      )
    })
  }

  function later<T>(operation: string, work: () => Promise<T>): Promise<T> {
    if (circuit.isOpen) return Promise.reject(silent())
    try {
      return inTime(operation, Promise.resolve(work()))
    } catch (cause) {
      return Promise.reject(failed(operation, cause))
    }
  }

  /** Keeps an answer that is at hand at hand: the hot path waits for nothing. */
  function maybe<T>(operation: string, work: () => MaybePromise<T>): MaybePromise<T> {
    if (circuit.isOpen) throw silent()
    let answer: MaybePromise<T>
    try {
      answer = work()
    } catch (cause) {
      throw failed(operation, cause)
    }
    if (answer instanceof Promise) return inTime(operation, answer)
    if (failing.size > 0) failing.delete(operation)
    return answer
  }

  /** Asks for what nobody has: wherever a store keeps it, asking changes nothing. */
  async function ask(): Promise<void> {
    const answer = inner.get(`p.${Buffer.from(environment.random(12)).toString('base64url')}`)
    if (answer instanceof Promise) await inTime('get', answer)
  }

  async function probe(): Promise<boolean> {
    try {
      await ask()
      return true
    } catch (error) {
      // What the store has to say in its own words is an answer, and better than our silence.
      return error instanceof AuthError && error.code !== 'store_unavailable'
    }
  }

  return {
    answers: async () => !circuit.isOpen && probe(),
    stop: circuit.stop,
    store: {
      now: () => maybe('now', () => inner.now()),
      get: (id, known) => maybe('get', () => inner.get(id, known)),
      insert: (id, record) => later('insert', () => inner.insert(id, record)),
      replace: (id, previous, next) => later('replace', () => inner.replace(id, previous, next)),
      remove: (id, owe) => later('remove', () => inner.remove(id, owe)),
      removeAll: (marks, removal) => later('removeAll', () => inner.removeAll(marks, removal)),
      list: (index, page) => later('list', () => inner.list(index, page)),
      claim: (key, until) => later('claim', () => inner.claim(key, until)),
      sweep: (owe, limit) => later('sweep', () => inner.sweep(owe, limit)),
      isEmpty: () => later('isEmpty', () => inner.isEmpty()),
      close: () => later('close', () => inner.close()),
    },
  }
}

/** A driver's message may repeat what it was sent, so it is never more than the cause. */
function failedWith(operation: string, cause: unknown): AuthError {
  const code = causeCode(cause)
  const why = code === undefined ? '' : ` (${code})`
  return new AuthError('store_unavailable', `The token store failed at ${operation}${why}.`, {
    cause,
  })
}

function silent(): AuthError {
  return new AuthError('store_unavailable', 'The token store does not answer.')
}
