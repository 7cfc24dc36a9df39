import type { Owe, StoredEntry, Successor, TokenStore } from '#coatcheck'

/** Stores that can tell what is in them: they remember every id that was ever written. */
export interface RememberingStores {
  /** As each process opened it; the same twice where both got the same. */
  readonly opened: readonly [TokenStore, TokenStore]
  /** Every record whose id begins so. */
  contents(prefix: string): Promise<StoredEntry[]>
}

/** Wraps the real stores, below everything that is broken on purpose. */
export function rememberIds([one, two]: readonly [TokenStore, TokenStore]): RememberingStores {
  const ids = new Set<string>()
  const first = remembering(one, ids)
  return {
    opened: [first, two === one ? first : remembering(two, ids)],
    async contents(prefix) {
      const found: StoredEntry[] = []
      for (const id of ids) {
        const value = id.startsWith(prefix) ? await one.get(id) : undefined
        if (value !== undefined) found.push({ id, value })
      }
      return found
    },
  }
}

function remembering(store: TokenStore, ids: Set<string>): TokenStore {
  function note(written: Successor): Successor {
    ids.add(written.id)
    return written
  }

  function noting(owe: Owe): Owe {
    return (removed) => owe(removed).map(note)
  }

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
    remove: (id, owe) => store.remove(id, owe && noting(owe)),
    removeAll: (marks, removal) =>
      store.removeAll(marks, {
        ...removal,
        owe: noting(removal.owe),
        unfinished: note(removal.unfinished),
      }),
    sweep: (owe, limit) => store.sweep(noting(owe), limit),
  }
}
