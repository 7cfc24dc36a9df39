import type { Mark, Removal, StoredRecord, TokenStore } from '#coatcheck'
import type { PromiseName } from './promise.ts'

/** One thing broken on purpose, as somebody could write it in a store. */
export interface Mutation {
  readonly name: string
  /** Promises of which at least one must be seen to be broken. */
  readonly breaks: readonly PromiseName[]
  readonly mutate: (store: TokenStore) => TokenStore
  /** Seen only where a process dies. */
  readonly deaths?: true
}

/** Established after every mark. */
const NEVER = { provider: Number.MAX_SAFE_INTEGER, here: Number.MAX_SAFE_INTEGER }

/** What must not go unnoticed. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'replace does not compare: it writes over whatever is there',
    breaks: ['spent', 'kept', 'revoked'],
    mutate: (store) => ({
      ...store,
      async replace(id, _previous, next) {
        for (;;) {
          const current = await store.get(id)
          if (current === undefined) return false
          if (await store.replace(id, current, next)) return true
          // Refused by a mark, as it should be.
          if (await isSame(store, id, current)) return false
        }
      },
    }),
  },
  {
    name: 'replace writes a record that is gone, as a plain set does',
    breaks: ['served', 'gone'],
    mutate: (store) => ({
      ...store,
      async replace(id, previous, next) {
        if ((await store.get(id)) !== undefined) return store.replace(id, previous, next)
        return store.insert(id, unmarked(next))
      },
    }),
  },
  {
    name: 'insert ignores marks',
    breaks: ['served', 'gone'],
    mutate: (store) => ({
      ...store,
      insert: (id, record) => store.insert(id, unmarked(record)),
    }),
  },
  {
    name: 'replace ignores marks',
    breaks: ['served', 'gone', 'kept'],
    mutate: (store) => ({
      ...store,
      replace: (id, previous, next) => store.replace(id, previous, unmarked(next)),
    }),
  },
  {
    name: 'removeAll leaves no mark',
    breaks: ['served', 'gone'],
    mutate: (store) => withMark(store, (mark) => ({ ...mark, keepUntil: 0 })),
  },
  {
    name: 'removeAll forgets what is owed',
    breaks: ['revoked'],
    mutate: (store) => withRemoval(store, (removal) => ({ ...removal, owe: () => [] })),
  },
  {
    name: 'remove forgets what is owed',
    breaks: ['revoked'],
    mutate: (store) => ({ ...store, remove: (id) => store.remove(id) }),
  },
  {
    name: 'what is owed for a lost refresh is not written',
    breaks: ['revoked'],
    mutate: (store) => ({
      ...store,
      insert: async (id, record) => (id.startsWith('w.') ? true : store.insert(id, record)),
    }),
  },
  {
    name: 'a claim is given to everybody',
    breaks: ['spent', 'once', 'revoked'],
    mutate: (store) => ({
      ...store,
      async claim(key, until) {
        await store.claim(key, until)
        return true
      },
    }),
  },
  {
    name: 'remove gives what it removed to two callers',
    breaks: ['shown', 'revoked'],
    mutate: givingTwice,
  },
  {
    name: 'equality of times at a mark does not count',
    breaks: ['served', 'gone'],
    mutate: (store) =>
      withMark(store, (mark) =>
        mark.clock === 'here' ? mark : { ...mark, establishedUntil: mark.establishedUntil - 1 },
      ),
  },
  {
    name: "a sign-out of ours is compared by the provider's clock only",
    breaks: ['served', 'gone'],
    mutate: (store) =>
      withMark(store, (mark) => (mark.clock === 'here' ? { ...mark, establishedUntil: 0 } : mark)),
  },
  {
    name: 'get answers from a replica that is one read behind',
    breaks: ['served', 'gone', 'spent', 'kept'],
    mutate: lagging,
  },
  {
    name: 'removeAll does not write down what is unfinished',
    breaks: ['gone'],
    deaths: true,
    mutate: (store) => ({
      ...store,
      async removeAll(marks, removal) {
        const step = await store.removeAll(marks, removal)
        await store.remove(removal.unfinished.id)
        return step
      },
    }),
  },
]

function unmarked(record: StoredRecord): StoredRecord {
  return { ...record, established: NEVER }
}

function withRemoval(store: TokenStore, change: (removal: Removal) => Removal): TokenStore {
  return { ...store, removeAll: (marks, removal) => store.removeAll(marks, change(removal)) }
}

function withMark(store: TokenStore, change: (mark: Mark) => Mark): TokenStore {
  return {
    ...store,
    removeAll(marks, removal) {
      const changed = marks.map(({ index, mark }) => ({ index, mark: change(mark) }))
      return store.removeAll(changed, removal)
    },
  }
}

function givingTwice(store: TokenStore): TokenStore {
  const given = new Map<string, Uint8Array>()
  return {
    ...store,
    async remove(id, owe) {
      const before = given.get(id)
      if (before !== undefined) {
        given.delete(id)
        owe?.([{ id, value: before }])
        return before
      }
      const value = await store.remove(id, owe)
      if (value !== undefined) given.set(id, value)
      return value
    },
  }
}

function lagging(store: TokenStore): TokenStore {
  const seen = new Map<string, Uint8Array>()
  return {
    ...store,
    async get(id) {
      const before = seen.get(id)
      const now = await store.get(id)
      if (now === undefined) seen.delete(id)
      else seen.set(id, now)
      return before ?? now
    },
  }
}

async function isSame(store: TokenStore, id: string, bytes: Uint8Array): Promise<boolean> {
  const now = await store.get(id)
  return now !== undefined && Buffer.compare(now, bytes) === 0
}
