import { AuthError } from '../../errors.ts'
import type { AuthEvent } from '../../events.ts'
import type { MaybePromise, TokenStore } from './store.ts'

/** The store with every failure told as `store_unavailable`, and to `emit`. */
export function guardStore(store: TokenStore, emit: (event: AuthEvent) => void): TokenStore {
  function fail(operation: string, cause: unknown): never {
    emit({ type: 'store_failed', operation })
    throw new AuthError('store_unavailable', `The token store failed at ${operation}.`, { cause })
  }

  async function later<T>(operation: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      return fail(operation, cause)
    }
  }

  /** Keeps an answer that is at hand at hand: the hot path waits for nothing. */
  function maybe<T>(operation: string, work: () => MaybePromise<T>): MaybePromise<T> {
    try {
      const answer = work()
      return answer instanceof Promise ? later(operation, () => answer) : answer
    } catch (cause) {
      return fail(operation, cause)
    }
  }

  return {
    now: () => maybe('now', () => store.now()),
    get: (id) => maybe('get', () => store.get(id)),
    insert: (id, record) => later('insert', () => store.insert(id, record)),
    replace: (id, previous, next) => later('replace', () => store.replace(id, previous, next)),
    remove: (id, owe) => later('remove', () => store.remove(id, owe)),
    removeAll: (index, removal) => later('removeAll', () => store.removeAll(index, removal)),
    list: (index, page) => later('list', () => store.list(index, page)),
    claim: (key, until) => later('claim', () => store.claim(key, until)),
    sweep: (owe, limit) => later('sweep', () => store.sweep(owe, limit)),
    close: () => later('close', () => store.close()),
  }
}
