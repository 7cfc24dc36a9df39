import { isRefused, widen } from '../../core/tokens/marks.ts'
import type { Established, Mark, StoredRecord } from '../../core/tokens/store.ts'
import type { EndingRows } from './ending-rows.ts'
import { markKey } from './keys.ts'

/** The marks of a table. Called inside a transaction, where marks and records agree. */
export interface Marks {
  /** Whether a mark on one of a record's indexes refuses it. */
  refuse(record: StoredRecord, now: number): boolean
  leave(index: string, mark: Mark): void
}

/** Marks kept in these rows, one for each index and clock. */
export function createMarks(rows: EndingRows): Marks {
  function read(clock: keyof Established, index: string): Mark | undefined {
    const [keepUntil, establishedUntil] = rows.read(markKey(clock, index)) ?? []
    if (keepUntil === undefined || establishedUntil === undefined) return undefined
    return { clock, establishedUntil, keepUntil }
  }

  return {
    refuse: (record, now) => isRefused(record, now, read),

    leave(index, mark) {
      const { keepUntil, establishedUntil } = widen(read(mark.clock, index), mark)
      rows.write(markKey(mark.clock, index), [keepUntil, establishedUntil])
    },
  }
}
