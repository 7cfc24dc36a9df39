import type { StoredRecord, TokenStore } from '#coatcheck'
import { memoryStore } from '#coatcheck/stores/memory'

/** A store in memory whose records a test can spoil, and which may fail. */
export interface TamperingStore extends TokenStore {
  /** Ids of the records that are there now and whose id begins so, in the order they came. */
  ids(prefix: string): string[]
  /** What was last written under an id. */
  written(id: string): StoredRecord
  /** Puts other bytes where a record is, and leaves all else about it. */
  spoil(id: string, change: (value: Uint8Array) => Uint8Array): Promise<void>
}

/** An honest one, until a test says otherwise. */
export function tamperingStore(now: () => number): TamperingStore {
  const inner = memoryStore({ now })
  const records = new Map<string, StoredRecord>()
  const written = (id: string): StoredRecord => {
    const record = records.get(id)
    if (record === undefined) throw new Error(`Nothing was written under ${id}`)
    return record
  }

  return {
    ...inner,
    async insert(id, record) {
      const done = await inner.insert(id, record)
      if (done) records.set(id, record)
      return done
    },
    async replace(id, previous, next) {
      const done = await inner.replace(id, previous, next)
      if (done) records.set(id, next)
      return done
    },
    ids: (prefix) =>
      [...records.keys()].filter((id) => id.startsWith(prefix) && inner.get(id) !== undefined),
    written,
    async spoil(id, change) {
      const record = written(id)
      await inner.remove(id)
      await inner.insert(id, { ...record, value: change(record.value) })
    },
  }
}
