import type { StoredEntry, TokenStore } from '#coatcheck'

/** A store that can tell what is in it: it remembers every id that was ever written. */
export interface RememberingStore extends TokenStore {
  /** Every record whose id begins so. */
  contents(prefix: string): Promise<StoredEntry[]>
}

/** Wraps the real store, below everything that is broken on purpose. */
export function rememberIds(store: TokenStore): RememberingStore {
  const ids = new Set<string>()
  return {
    ...store,
    insert: (id, record) => {
      ids.add(id)
      return store.insert(id, record)
    },
    replace: (id, previous, next) => {
      ids.add(id)
      return store.replace(id, previous, next)
    },
    remove: (id, owe) => store.remove(id, owe && ((entry) => note(owe(entry)))),
    removeAll: (index, removal) =>
      store.removeAll(index, {
        ...removal,
        owe: (entry) => note(removal.owe(entry)),
        unfinished: note(removal.unfinished),
      }),
    sweep: (owe, limit) => store.sweep((entry) => note(owe(entry)), limit),
    async contents(prefix) {
      const found: StoredEntry[] = []
      for (const id of ids) {
        const value = id.startsWith(prefix) ? await store.get(id) : undefined
        if (value !== undefined) found.push({ id, value })
      }
      return found
    },
  }

  function note<S extends { readonly id: string } | undefined>(successor: S): S {
    if (successor !== undefined) ids.add(successor.id)
    return successor
  }
}
