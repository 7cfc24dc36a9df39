import { sameBytes } from '../../core/tokens/bytes.ts'
import type { StoredEntry, Successor } from '../../core/tokens/store.ts'
import { expiresAtIn, indexesIn, toBytes, valueIn } from '../layout/record-bytes.ts'
import { endKey, indexKey, NEXT_NUMBER, partKey, recordKey } from './keys.ts'
import { cut } from './pages.ts'
import type { OpenTable } from './table.ts'

/** Records and everything by which they are found. What writes is called inside a transaction. */
export interface Records {
  read(id: string): HeldRecord | undefined
  has(id: string): boolean
  /** Writes a record over whatever there is under its id. */
  write(record: Prepared): void
  erase(held: HeldRecord): void
}

/** A record as it was read. */
export interface HeldRecord {
  readonly id: string
  readonly bytes: Buffer
  /** Where its parts are. */
  readonly number: number
  readonly parts: number
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
export function createRecords({ table, pageSize }: OpenTable): Records {
  function read(id: string): HeldRecord | undefined {
    const row = table.getBinaryFast(recordKey(id))
    if (row === undefined) return undefined
    const { number, length, parts } = decodePlace(row)
    const bytes = Buffer.allocUnsafe(length)
    for (let part = 0, at = 0; part < parts; part++) {
      const found = table.getBinaryFast(partKey(number, part))
      if (found === undefined)
        throw new Error('A part of a record is missing: the data is damaged.')
      // lmdb reuses one large buffer and only sets its `length`.
      bytes.set(found.subarray(0, found.length), at)
      at += found.length
    }
    return { id, bytes, number, parts }
  }

  function takeNumber(): number {
    const row = table.getBinaryFast(NEXT_NUMBER)
    const number = row === undefined ? 0 : Buffer.from(row.subarray(0, 6)).readUIntBE(0, 6)
    const next = Buffer.allocUnsafe(6)
    next.writeUIntBE(number + 1, 0, 6)
    table.put(NEXT_NUMBER, next)
    return number
  }

  /** Told that a row is the last of all, LMDB leaves no room in the page before it. */
  function append(key: Uint8Array, part: Uint8Array): void {
    if (table.putSync(key, part, { append: true }) === false) table.put(key, part)
  }

  function eraseParts({ number, parts }: HeldRecord): void {
    for (let part = 0; part < parts; part++) table.remove(partKey(number, part))
  }

  return {
    read,

    has: (id) => table.getBinaryFast(recordKey(id)) !== undefined,

    write({ id, key, bytes, pointers }) {
      const before = read(id)
      const old = before === undefined ? [] : pointersTo(before)
      for (const pointer of old) if (!pointers.some(same(pointer))) table.remove(pointer)
      for (const pointer of pointers) if (!old.some(same(pointer))) table.put(pointer, NOTHING)
      if (before !== undefined) eraseParts(before)
      const number = takeNumber()
      const ends = cut(bytes.length, pageSize)
      ends.forEach((end, part) => {
        append(partKey(number, part), bytes.subarray(part === 0 ? 0 : ends[part - 1], end))
      })
      table.put(key, encodePlace({ number, length: bytes.length, parts: ends.length }))
    },

    erase(held) {
      for (const pointer of pointersTo(held)) table.remove(pointer)
      eraseParts(held)
      table.remove(recordKey(held.id))
    },
  }
}

interface Place {
  readonly number: number
  readonly length: number
  readonly parts: number
}

const NOTHING = new Uint8Array(0)

function pointersTo({ id, bytes }: HeldRecord): Uint8Array[] {
  return pointersOf(id, recordKey(id), indexesIn(bytes), expiresAtIn(bytes))
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

function encodePlace({ number, length, parts }: Place): Uint8Array {
  const row = Buffer.allocUnsafe(11)
  row.writeUIntBE(number, 0, 6)
  row.writeUInt32BE(length, 6)
  row[10] = parts
  return row
}

function decodePlace(row: Uint8Array): Place {
  const view = new DataView(row.buffer, row.byteOffset)
  return {
    number: view.getUint16(0) * 2 ** 32 + view.getUint32(2),
    length: view.getUint32(6),
    parts: view.getUint8(10),
  }
}
