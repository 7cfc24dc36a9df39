import { open } from 'lmdb'
import type { StoredRecord, Successor, TokenStore } from '#coatcheck/core/tokens/store'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'

/** What a worker is asked to do with the environment it shares, and what it answers. */
export interface Jobs {
  /** Tries to win each of these, and answers which it won. */
  claim: { ask: string[]; answer: string[] }
  remove: { ask: string[]; answer: string[] }
  replace: { ask: { ids: string[]; from: string; to: string }; answer: string[] }
  /** Signs in again and again under an index, and answers who was admitted. */
  signIn: { ask: { index: string; ids: string[]; at: number }; answer: string[] }
  signOut: { ask: { index: string; at: number }; answer: string[] }
  /** Counts a record up, and says so each time it is done; at the end it removes it. */
  count: { ask: { id: string; until: number }; answer: 'counted' }
  /** Signs users in, refreshes and signs out until it is killed, and tells what it was answered. */
  neverEnd: { ask: { name: string; index: string; owed: string }; answer: never }
}

/** What a worker sends. */
export type Message =
  | { readonly done: unknown }
  | { readonly counted: number }
  | { readonly acknowledged: Acknowledged }

/** What was promised to a caller before the process was killed. */
export type Acknowledged =
  | { readonly kind: 'inserted' | 'removed'; readonly id: string }
  | { readonly kind: 'signed_out'; readonly at: number; readonly removed: readonly string[] }

/** A record whose bytes are this text. */
export function recordOf(text: string, other: Partial<StoredRecord> = {}): StoredRecord {
  const at = Date.now()
  return {
    value: Buffer.from(text),
    expiresAt: at + 3_600_000,
    established: { provider: at, here: at },
    indexes: [],
    ...other,
  }
}

/** A removal by an index, in steps of `limit`, each of which owes a record under `owed`. */
export async function signOut(
  store: TokenStore,
  { index, at, owed, limit = 1_000 }: { index: string; at: number; owed?: string; limit?: number },
): Promise<string[]> {
  const removed: string[] = []
  for (;;) {
    const mark = { clock: 'here', establishedUntil: at, keepUntil: Date.now() + 3_600_000 } as const
    const step = await store.removeAll([{ index, mark }], {
      owe: (ended) => (owed === undefined ? [] : ended.map(({ id }) => toOwed(id, owed))),
      limit,
      resumed: false,
      unfinished: {
        id: `unfinished ${at}`,
        record: recordOf(String(at), { indexes: ['unfinished'] }),
      },
    })
    removed.push(...step.removed.map((entry) => entry.id))
    if (!step.more) return removed
  }
}

const jobs: { [J in keyof Jobs]: (store: TokenStore, ask: Jobs[J]['ask']) => Promise<unknown> } = {
  claim: (store, keys) => win(keys, (key) => store.claim(key, Date.now() + 3_600_000)),

  remove: (store, ids) => win(ids, async (id) => (await store.remove(id)) !== undefined),

  replace: (store, { ids, from, to }) =>
    win(ids, (id) => store.replace(id, Buffer.from(from), recordOf(to))),

  signIn: (store, { index, ids, at }) =>
    win(ids, (id) =>
      store.insert(id, recordOf(id, { indexes: [index], established: { provider: at, here: at } })),
    ),

  signOut: (store, ask) => signOut(store, ask),

  async count(store, { id, until }) {
    for (let counted = 1; counted <= until; counted++) {
      const previous = Buffer.from(String(counted - 1))
      if (!(await store.replace(id, previous, recordOf(String(counted))))) return 'lost'
      send({ counted })
    }
    await store.remove(id)
    return 'counted'
  },

  async neverEnd(store, { name, index, owed }) {
    for (let round = 0; ; round++) {
      const ids = Array.from({ length: 24 }, (_, at) => `${name} ${round} ${at}`)
      await Promise.all(
        ids.map(async (id, at) => {
          const text = id.padEnd(at * 400, '.')
          const record = recordOf(text, { indexes: [index, `one of ${id}`] })
          if (await store.insert(id, record)) send({ acknowledged: { kind: 'inserted', id } })
          await store.replace(id, Buffer.from(text), { ...record, value: Buffer.from(`${text}!`) })
        }),
      )
      const single = ids[0] as string
      await store.remove(single, () => [toOwed(single, owed)])
      send({ acknowledged: { kind: 'removed', id: single } })
      const at = Date.now()
      const removed = await signOut(store, { index, at, owed, limit: 10 })
      await store.remove(`unfinished ${at}`)
      send({ acknowledged: { kind: 'signed_out', at, removed } })
      // The next round signs in later than the mark.
      while (Date.now() <= at) await store.claim(`${name} ${round} ${Date.now()}`, Date.now() + 1)
      await store.sweep(() => [], 100)
    }
  },
}

function toOwed(id: string, index: string): Successor {
  return { id: `owed/${id}`, record: recordOf('', { indexes: [index] }) }
}

/** Tries them all at once and tells which succeeded. */
async function win(all: string[], attempt: (one: string) => Promise<boolean>): Promise<string[]> {
  const won = await Promise.all(all.map(attempt))
  return all.filter((_, at) => won[at])
}

function send(message: Message): void {
  process.send?.(message)
}

if (process.send !== undefined) {
  const database = open({ path: process.argv[2] as string, ...lmdbOptions })
  const store = lmdbStore(database)
  process.on('message', async ({ job, ask }: { job: keyof Jobs; ask: never }) => {
    send({ done: await jobs[job](store, ask) })
  })
  process.on('disconnect', () => database.close())
  send({ done: 'ready' })
}
