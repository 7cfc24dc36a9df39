import type { Mark, StoredRecord, TokenStore } from '#coatcheck/core/tokens/store'

/** Operations on a few ids and indexes, and what was there before them. */
export interface Story {
  readonly setup: readonly Act[]
  readonly acts: readonly Act[]
}

/** One operation; what it answers can be compared. */
export interface Act {
  readonly name: string
  run(store: TokenStore): Promise<unknown>
}

/** The time at which all of it happens. */
export const NOW = 1_800_000_000_000
const TIMES = [1, 2, 3]

/** A story in which everything gets in the way of everything. `pick` chooses below a number. */
export function tell(prefix: string, pick: (count: number) => number): Story {
  const one = <T>(all: readonly T[]): T => all[pick(all.length)] as T
  const some = <T>(all: readonly T[]): T[] => all.filter(() => pick(2) === 0)
  const ids = ['x', 'y'].map((name) => prefix + name)
  const indexes = indexesOf(prefix)
  let written = 0

  const record = (): StoredRecord => ({
    value: Buffer.from(`value ${written++}`),
    expiresAt: NOW + 1_000,
    established: { provider: one(TIMES), here: one(TIMES) },
    indexes: some(indexes),
  })
  const insert = (given: StoredRecord = record()): Act => {
    const id = one(ids)
    return { name: `insert ${show(id, given)}`, run: (store) => store.insert(id, given) }
  }
  const replace = (): Act => {
    const [id, next, previous] = [one(ids), record(), Buffer.from(`value ${pick(2)}`)]
    return {
      name: `replace ${previous} by ${show(id, next)}`,
      run: (store) => store.replace(id, previous, next),
    }
  }
  const remove = (): Act => {
    const id = one(ids)
    return {
      name: `remove ${id}`,
      run: async (store) => text(await store.remove(id, owing(prefix))),
    }
  }
  const removeAll = (): Act => {
    const resumed = pick(3) === 0
    const marks = (pick(3) === 0 ? [one(indexes), one(indexes)] : [one(indexes)]).map((index) => {
      const clock = pick(2) === 0 ? 'here' : 'provider'
      const mark: Mark = { clock, establishedUntil: one(TIMES), keepUntil: NOW + 1_000 }
      return { index, mark }
    })
    const unfinished = { id: `${prefix}unfinished`, record: record() }
    return {
      name: `removeAll ${JSON.stringify(marks)} ${resumed}`,
      run: async (store) => {
        const order = { owe: owing(prefix), limit: 10, unfinished, resumed }
        const { removed, more } = await store.removeAll(marks, order)
        return [removed.map(({ id, value }) => `${id}=${text(value)}`).sort(), more]
      },
    }
  }
  const get = (): Act => {
    const id = one(ids)
    return { name: `get ${id}`, run: async (store) => text(await store.get(id)) }
  }
  const list = (): Act => {
    const index = one(indexes)
    return { name: `list ${index}`, run: (store) => listed(store, index) }
  }

  const kinds = [insert, insert, replace, replace, remove, removeAll, removeAll, get, list]
  const setup = [insert(), insert(), ...(pick(4) === 0 ? [insert(expired(record()))] : [])]
  return { setup, acts: Array.from({ length: 3 + pick(2) }, () => one(kinds)()) }
}

/** Everything that can be seen of what a story left behind. */
export async function aftermath(store: TokenStore, prefix: string): Promise<unknown> {
  const seen: unknown[] = []
  for (const id of ['x', 'y']) seen.push(text(await store.get(prefix + id)))
  for (const index of [...indexesOf(prefix), `${prefix}owed`]) seen.push(await listed(store, index))
  for (const index of indexesOf(prefix)) {
    for (const clock of ['provider', 'here'] as const) seen.push(await marked(store, index, clock))
  }
  return seen
}

/** The times whose sign-ins a mark refuses. */
async function marked(
  store: TokenStore,
  index: string,
  clock: 'provider' | 'here',
): Promise<number[]> {
  const refused: number[] = []
  for (const at of TIMES) {
    const id = `${index} ${clock} ${at}`
    const established = { provider: 99, here: 99, [clock]: at }
    const record = { value: Buffer.from(id), expiresAt: NOW + 1_000, established, indexes: [index] }
    if (!(await store.insert(id, record))) refused.push(at)
  }
  return refused
}

function indexesOf(prefix: string): string[] {
  return ['a', 'b', 'c'].map((name) => prefix + name)
}

function owing(prefix: string) {
  return (removed: readonly { readonly id: string; readonly value: Uint8Array }[]) =>
    removed.map(({ id, value }) => ({
      id: `${text(value)}/${id}`,
      record: {
        value: Buffer.from(`owed for ${text(value)}`),
        expiresAt: NOW + 1_000,
        established: { provider: 0, here: 0 },
        indexes: [`${prefix}owed`],
      },
    }))
}

function expired(record: StoredRecord): StoredRecord {
  return { ...record, expiresAt: NOW - 1 }
}

async function listed(store: TokenStore, index: string): Promise<string[]> {
  const entries = await store.list(index, { limit: 100 })
  return entries.map(({ id, value }) => `${id}=${text(value)}`)
}

function show(id: string, { value, established, indexes }: StoredRecord): string {
  return `${id} ${value} ${JSON.stringify(established)} ${indexes}`
}

function text(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString()
}
