import { sameBytes } from '../core/tokens/bytes.ts'
import { letOthersIn } from '../core/tokens/let-others-in.ts'
import { ends, isRefused, widen } from '../core/tokens/marks.ts'
import type {
  Established,
  Mark,
  StoredEntry,
  StoredRecord,
  Successor,
  TokenStore,
} from '../core/tokens/store.ts'
import { createExpiryOrder } from './memory/expiry.ts'

/** What {@link memoryStore} may be told. */
export interface MemoryStoreOptions {
  /** The clock, in milliseconds since the epoch. Default: this machine's. */
  readonly now?: () => number
}

/**
 * Keeps records in this process: for tests, development, and an application that is one process
 * and may forget its users when it ends. Every method is one uninterrupted step.
 */
export function memoryStore(options: MemoryStoreOptions = {}): TokenStore {
  const now = options.now ?? (() => Date.now())
  const records = new Map<string, StoredRecord>()
  const idsUnder = new Map<string, Set<string>>()
  const left = new Map<string, Mark>()
  const claims = new Map<string, number>()
  const expiry = createExpiryOrder()

  function drop(id: string, record: StoredRecord): void {
    records.delete(id)
    expiry.drop(record.expiresAt, `r${id}`)
    for (const index of record.indexes) {
      const ids = idsUnder.get(index)
      ids?.delete(id)
      if (ids?.size === 0) idsUnder.delete(index)
    }
  }

  function write({ id, record }: Successor): void {
    const before = records.get(id)
    if (before !== undefined) drop(id, before)
    records.set(id, record)
    expiry.add(record.expiresAt, `r${id}`)
    for (const index of record.indexes) {
      const ids = idsUnder.get(index)
      if (ids === undefined) idsUnder.set(index, new Set([id]))
      else ids.add(id)
    }
  }

  function isCovered(record: StoredRecord): boolean {
    return isRefused(record, now(), (clock, index) => left.get(markName(clock, index)))
  }

  function leave(index: string, mark: Mark): void {
    const name = markName(mark.clock, index)
    const before = left.get(name)
    const after = widen(before, mark)
    if (before !== undefined) expiry.drop(before.keepUntil, `m${name}`)
    left.set(name, after)
    expiry.add(after.keepUntil, `m${name}`)
  }

  /** The record of an id, unless it has expired. */
  function current(id: string): StoredRecord | undefined {
    const record = records.get(id)
    return record !== undefined && record.expiresAt > now() ? record : undefined
  }

  function forgetExpired(name: string): void {
    const [kind, rest] = [name[0], name.slice(1)]
    const [ended, by] =
      kind === 'm' ? [left.get(rest)?.keepUntil, left] : [claims.get(rest), claims]
    if (ended === undefined || ended > now()) return
    by.delete(rest)
    expiry.drop(ended, name)
  }

  return {
    now,

    get: (id) => current(id)?.value,

    async insert(id, record) {
      if (current(id) !== undefined || isCovered(record)) return false
      write({ id, record })
      return true
    },

    async replace(id, previous, next) {
      const record = current(id)
      if (record === undefined || !sameBytes(record.value, previous)) return false
      if (isCovered(next)) return false
      write({ id, record: next })
      return true
    },

    async remove(id, owe) {
      const record = records.get(id)
      if (record === undefined) return undefined
      const owed = owe?.([{ id, value: record.value }]) ?? []
      drop(id, record)
      owed.forEach(write)
      return record.value
    },

    async removeAll(marks, { owe, limit, unfinished, resumed }) {
      const covered = new Map<string, StoredRecord>()
      let more = false
      for (const { index, mark } of marks) {
        for (const id of idsUnder.get(index) ?? []) {
          const record = records.get(id)
          if (record === undefined || covered.has(id)) continue
          if (!ends(mark, record.established, resumed)) continue
          more = covered.size === limit
          if (more) break
          covered.set(id, record)
        }
        if (more) break
      }
      const removed = [...covered].map(([id, { value }]) => ({ id, value }))
      const owed = removed.length > 0 ? owe(removed) : []
      for (const { index, mark } of marks) leave(index, mark)
      for (const [id, record] of covered) drop(id, record)
      owed.forEach(write)
      if (more && !records.has(unfinished.id)) write(unfinished)
      if (more) await letOthersIn()
      return { removed, more }
    },

    async list(index, { after, limit }) {
      const ids = [...(idsUnder.get(index) ?? [])].filter((id) => after === undefined || id > after)
      const page: StoredEntry[] = []
      for (const id of ids.sort()) {
        if (page.length === limit) break
        const record = current(id)
        if (record !== undefined) page.push(toEntry({ id, record }))
      }
      if (page.length === limit) await letOthersIn()
      return page
    },

    async claim(key, until) {
      const before = claims.get(key)
      if (before !== undefined && before > now()) return false
      if (before !== undefined) expiry.drop(before, `c${key}`)
      claims.set(key, until)
      expiry.add(until, `c${key}`)
      return true
    },

    async sweep(owe, limit) {
      const expired: Successor[] = []
      for (const name of expiry.upTo(now())) {
        if (!name.startsWith('r')) {
          forgetExpired(name)
          continue
        }
        const id = name.slice(1)
        const record = records.get(id)
        if (record === undefined || record.expiresAt > now()) continue
        if (expired.length === limit) break
        expired.push({ id, record })
      }
      const removed = expired.map(toEntry)
      const owed = removed.length > 0 ? owe(removed) : []
      for (const { id, record } of expired) drop(id, record)
      owed.forEach(write)
      if (removed.length === limit) await letOthersIn()
      return removed
    },

    isEmpty: async () => records.size === 0,

    async close() {
      // Nothing was started.
    },
  }
}

function markName(clock: keyof Established, index: string): string {
  return `${clock} ${index}`
}

function toEntry({ id, record }: Successor): StoredEntry {
  return { id, value: record.value }
}
