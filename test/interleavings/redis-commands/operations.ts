import type { TokenStore } from '#coatcheck'
import type {
  Established,
  IndexMark,
  Owe,
  StoredRecord,
  Successor,
} from '#coatcheck/core/tokens/store'
import { NOW } from './gate.ts'

/** One call of the store, and what it was told, for whoever judges its answer. */
export type Operation = Insert | Replace | Remove | RemoveAll | Sweep | TakeBack

interface Call {
  readonly name: string
  /** When, by its process's clock. */
  readonly at: number
  readonly work: (store: TokenStore) => Promise<unknown>
}

export interface Insert extends Call {
  readonly kind: 'insert'
  readonly entry: Entry
}

export interface Replace extends Call {
  readonly kind: 'replace'
  readonly previous: string
  readonly entry: Entry
}

export interface Remove extends Call {
  readonly kind: 'remove'
  readonly id: string
}

export interface RemoveAll extends Call {
  readonly kind: 'removeAll'
  readonly marks: readonly IndexMark[]
  readonly resumed: boolean
  /** What is owed and unfinished is named after it. */
  readonly order: string
  readonly limit: number
}

export interface Sweep extends Call {
  readonly kind: 'sweep'
}

export interface TakeBack extends Call {
  readonly kind: 'takeBack'
  readonly entry: Entry
}

/** A record and its id. No two have the same value. */
export type Entry = Successor

/** Milliseconds. */
export const HOUR = 3_600_000
/** The index of what is owed. */
export const OWED = 'owed'

/** A session's record, established ten seconds ago, for an hour, unless told otherwise. */
export function session(
  id: string,
  value: string,
  indexes: readonly string[],
  { provider = NOW - 10_000, here = NOW - 10_000, expiresAt = NOW + HOUR } = {},
): Entry {
  const established = { provider, here }
  return { id, record: { value: Buffer.from(value), expiresAt, established, indexes } }
}

/** What a record holds, as text. */
export function textOf({ value }: Pick<StoredRecord, 'value'>): string {
  return String(Buffer.from(value.buffer, value.byteOffset, value.byteLength))
}

/** A mark of a sign-out that was said now. */
export function mark(clock: keyof Established, index: string): IndexMark {
  return { index, mark: { clock, establishedUntil: NOW, keepUntil: NOW + 24 * HOUR } }
}

/** Where a removal writes that it is unfinished. */
export function unfinishedId(order: string): string {
  return `w.${order}`
}

/** Under which id a removal writes what is owed for a record. */
export function owedId(order: string, id: string): string {
  return `w.${order}/${id}`
}

export function insert(name: string, entry: Entry, at: number = NOW): Insert {
  return { kind: 'insert', name, at, entry, work: (store) => store.insert(entry.id, entry.record) }
}

export function replace(name: string, before: Entry, entry: Entry, at: number = NOW): Replace {
  return {
    kind: 'replace',
    name,
    at,
    previous: textOf(before.record),
    entry,
    work: (store) => store.replace(entry.id, before.record.value, entry.record),
  }
}

export function remove(name: string, id: string): Remove {
  const work = (store: TokenStore): Promise<unknown> => store.remove(id, owesFor(name, name))
  return { kind: 'remove', name, at: NOW, id, work }
}

/** Sees to it that nobody's session is left where an insert was given up, as `take-back.ts` does. */
export function takeBack(name: string, id: string): TakeBack {
  const entry = session(id, 'nobody', [], { provider: 0, here: 0 })
  return {
    kind: 'takeBack',
    name,
    at: NOW,
    entry,
    async work(store) {
      for (;;) {
        if (await store.insert(id, entry.record)) return
        const bytes = await store.get(id)
        if (bytes === undefined) continue
        if (textOf({ value: bytes }) === 'nobody') return
        if (await store.replace(id, bytes, entry.record)) return
      }
    },
  }
}

export function sweep(name: string): Sweep {
  return { kind: 'sweep', name, at: NOW, work: (store) => store.sweep(owesFor(name, name), 8) }
}

/** `order`: what it was called where somebody else began it. */
export function removeAll(
  name: string,
  marks: readonly IndexMark[],
  { resumed = false, limit = 8, order = name } = {},
): RemoveAll {
  const removal = {
    owe: owesFor(name, order),
    limit,
    unfinished: work(unfinishedId(order)),
    resumed,
  }
  return {
    kind: 'removeAll',
    name,
    at: NOW,
    marks,
    resumed,
    order,
    limit,
    work: (store) => store.removeAll(marks, removal),
  }
}

/** All steps of a removal that takes more than one, as `core/sign-out/remove.ts` does them. */
export function removeAllInSteps(
  name: string,
  marks: readonly IndexMark[],
  { limit = 1, resumed = false, order = name } = {},
): RemoveAll {
  return {
    ...removeAll(name, marks, { limit: Number.POSITIVE_INFINITY, resumed, order }),
    async work(store) {
      const unfinished = work(unfinishedId(order))
      const removed: unknown[] = []
      for (let steps = 0, more = true; more; steps += 1) {
        const removal = {
          owe: owesFor(name, order),
          limit,
          unfinished,
          resumed: resumed || steps > 0,
        }
        const step = await store.removeAll(marks, removal)
        removed.push(...step.removed)
        more = step.more
        if (!more && steps > 0) await store.remove(unfinished.id)
      }
      return { removed, more: false }
    },
  }
}

/** What another process does with what it finds unfinished, as `core/sign-out/worker.ts` does it. */
export function finish(name: string, begun: RemoveAll): RemoveAll {
  const { order, marks } = begun
  const rest = removeAllInSteps(name, marks, { limit: 8, resumed: true, order })
  return {
    ...rest,
    async work(store) {
      const owed = await store.list(OWED, { limit: 8 })
      // Nothing is promised where nothing was found.
      if (!owed.some(({ id }) => id === unfinishedId(order))) return { removed: [], more: true }
      const done = await rest.work(store)
      await store.remove(unfinishedId(order))
      return done
    },
  }
}

/** Sealing never gives the same bytes twice: what another owes for the same order are others. */
function owesFor(name: string, order: string): Owe {
  return (removed) => removed.map(({ id }) => work(owedId(order, id), ` by ${name}`))
}

function work(id: string, by = ''): Successor {
  const established = { provider: Number.MAX_SAFE_INTEGER, here: Number.MAX_SAFE_INTEGER }
  const record = { value: Buffer.from(`of ${id}${by}`), expiresAt: NOW + 2 * HOUR, established }
  return { id, record: { ...record, indexes: [OWED] } }
}
