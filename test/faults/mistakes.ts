import type { TokenStore } from '#coatcheck'

/** What a store can do wrong. */
export type Mistake =
  /** It answers what it read a second ago. */
  | 'remembers'
  /** Everybody gets every claim. */
  | 'claims for all'
  /** What is owed for a removed record is not written. */
  | 'owes nothing'

/** The store with a mistake: a run that does not find it shows nothing. */
export function mistaken(store: TokenStore, mistake: Mistake): TokenStore {
  switch (mistake) {
    case 'remembers': {
      const read = new Map<string, { readonly at: number; readonly value: Uint8Array }>()
      return {
        ...store,
        async get(id) {
          const known = read.get(id)
          if (known !== undefined && performance.now() - known.at < 1000) return known.value
          const value = await store.get(id)
          if (value !== undefined) read.set(id, { at: performance.now(), value })
          return value
        },
      }
    }
    case 'claims for all':
      return { ...store, claim: async () => true }
    case 'owes nothing':
      return {
        ...store,
        remove: (id) => store.remove(id),
        removeAll: (marks, removal) => store.removeAll(marks, { ...removal, owe: () => [] }),
      }
  }
}
