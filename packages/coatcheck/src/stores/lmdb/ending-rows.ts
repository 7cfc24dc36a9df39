import { endKey } from './keys.ts'
import type { LmdbTable } from './table.ts'

/**
 * Rows of a few numbers, the first of which says until when the row is kept: marks and claims.
 * What writes is called inside a transaction.
 */
export interface EndingRows {
  read(key: Uint8Array): readonly number[] | undefined
  write(key: Uint8Array, numbers: readonly number[]): void
  erase(key: Uint8Array): void
}

/** The ending rows of a table. */
export function createEndingRows(table: LmdbTable): EndingRows {
  function read(key: Uint8Array): number[] | undefined {
    const row = table.getBinaryFast(key)
    if (row === undefined) return undefined
    const view = new DataView(row.buffer, row.byteOffset, row.length)
    return Array.from({ length: row.length / 8 }, (_, at) => view.getFloat64(at * 8))
  }

  function erase(key: Uint8Array): void {
    const [until] = read(key) ?? []
    if (until !== undefined) table.remove(endKey(until, key))
    table.remove(key)
  }

  return {
    read,

    write(key, numbers) {
      const row = Buffer.allocUnsafe(numbers.length * 8)
      numbers.forEach((number, at) => {
        row.writeDoubleBE(number, at * 8)
      })
      const [until = 0] = numbers
      const pointer = endKey(until, key)
      erase(key)
      table.put(pointer, NOTHING)
      table.put(key, row)
    },

    erase,
  }
}

const NOTHING = new Uint8Array(0)
