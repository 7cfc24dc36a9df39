import type { WrittenRow } from './journal-entry.ts'
import type { LmdbTable } from './table.ts'

/** A table that remembers what is written to it. */
export interface Recording {
  readonly table: LmdbTable
  /** What was written since the last call, in that order. */
  take(): WrittenRow[]
}

/** Remembers what is written to a table through `table`. */
export function recordWrites(inner: LmdbTable): Recording {
  let rows: WrittenRow[] = []
  return {
    take() {
      const taken = rows
      rows = []
      return taken
    },
    table: {
      getBinaryFast: (key) => inner.getBinaryFast(key),
      getKeys: (range) => inner.getKeys(range),
      put(key, value) {
        rows.push({ key, value })
        return inner.put(key, value)
      },
      putSync(key, value, options) {
        rows.push({ key, value })
        return inner.putSync(key, value, options)
      },
      remove(key) {
        rows.push({ key, value: undefined })
        return inner.remove(key)
      },
      transaction: (action) => inner.transaction(action),
      transactionSync: (action) => inner.transactionSync(action),
      get committed() {
        return inner.committed
      },
      get flushed() {
        return inner.flushed
      },
      resetReadTxn: () => inner.resetReadTxn(),
      getStats: () => inner.getStats(),
    },
  }
}
