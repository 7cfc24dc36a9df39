import { sameBytes } from '../../core/tokens/bytes.ts'
import type { StoredEntry, Successor } from '../../core/tokens/store.ts'
import { expiresAtIn, indexesIn, toBytes, valueIn } from '../layout/record-bytes.ts'
import { endKey, indexKey, recordKey } from './keys.ts'
import { createParts, decodePlace, encodePlace, isPlace, type Place } from './parts.ts'
import type { OpenTable } from './table.ts'

/** Records and everything by which they are found. What writes is called inside a transaction. */
export interface Records {
  read(id: string): HeldRecord | undefined
  has(id: string): boolean
  /** Whether it is as it was read, by one short row. */
  isAsRead(held: HeldRecord): boolean
  /** Writes a record over whatever there is under its id. */
  write(record: Prepared): void
  erase(held: HeldRecord): void
}

/** A record as it was read. */
export interface HeldRecord {
  readonly id: string
  readonly key: Uint8Array
  readonly bytes: Buffer
  readonly place: Place
}

/** A record made ready, so that nothing can fail between the first write and the last. */
export interface Prepared {
  readonly id: string
  readonly key: Uint8Array
  readonly bytes: Uint8Array
  /** Keys of empty rows: by which index it is found, and when it ends. */
  readonly pointers: readonly Uint8Array[]
}

/** Checks and encodes. Throws on names that are too long and times that are no numbers. */
export function prepare({ id, record }: Successor): Prepared {
  const key = recordKey(id)
  const pointers = pointersOf(id, key, record.indexes, record.expiresAt)
  return { id, key, bytes: toBytes(record), pointers }
}

/** What the caller of the store gets to see. */
export function toEntry({ id, bytes }: HeldRecord): StoredEntry {
  return { id, value: valueIn(bytes) }
}

/** The records of a table. */
export function createRecords(opened: OpenTable): Records {
  const { table } = opened
  const parts = createParts(opened)

  function read(id: string): HeldRecord | undefined {
    const key = recordKey(id)
    const row = table.getBinaryFast(key)
    return row && { id, key, ...parts.read(decodePlace(row)) }
  }

  return {
    read,

    has: (id) => table.getBinaryFast(recordKey(id)) !== undefined,

    isAsRead({ key, place }) {
      const row = table.getBinaryFast(key)
      return row !== undefined && isPlace(row, place)
    },

    write({ id, key, bytes, pointers }) {
      const before = read(id)
      const old = before === undefined ? [] : pointersTo(before)
      for (const pointer of old) if (!pointers.some(same(pointer))) table.remove(pointer)
      for (const pointer of pointers) if (!old.some(same(pointer))) table.put(pointer, NOTHING)
      table.put(key, encodePlace(parts.write(bytes, before?.place)))
    },

    erase(held) {
      for (const pointer of pointersTo(held)) table.remove(pointer)
      parts.erase(held.place)
      table.remove(held.key)
    },
  }
}

const NOTHING = new Uint8Array(0)

function pointersTo({ id, key, bytes }: HeldRecord): Uint8Array[] {
  return pointersOf(id, key, indexesIn(bytes), expiresAtIn(bytes))
}

function pointersOf(
  id: string,
  key: Uint8Array,
  indexes: readonly string[],
  expiresAt: number,
): Uint8Array[] {
  const found = [...new Set(indexes)].map((index) => indexKey(index, id))
  return [...found, endKey(expiresAt, key)]
}

function same(pointer: Uint8Array): (other: Uint8Array) => boolean {
  return (other) => sameBytes(pointer, other)
}
