import { NEXT, partKey } from './keys.ts'
import { cut } from './pages.ts'
import type { OpenTable } from './table.ts'

/** Runs of bytes that are too long for one row. What writes is called inside a transaction. */
export interface Parts {
  read(place: StoredPlace): { readonly bytes: Buffer; readonly place: Place }
  /** Writes over others where these find room there, and else behind all that there is. */
  write(bytes: Uint8Array, before: Place | undefined): Place
  erase(place: Place): void
}

/** Where a run is, as it is stored. No two runs that were ever written have equal ones. */
export interface StoredPlace {
  readonly number: number
  /** How many runs were there before, under that number. */
  readonly revision: number
  /** Of the run, in bytes. */
  readonly length: number
  readonly parts: number
}

/** The same, and where each part ends; behind the run there may be room. */
export interface Place extends StoredPlace {
  readonly ends: readonly number[]
}

/** So that what grows by a few bytes still finds room. */
const STEP = 32
/** More than that is not left empty. */
const MOST_EMPTY = 512
/** Length of a place as a row. */
const PLACE = 15

/** The parts of a table. */
export function createParts({ table, pageSize }: OpenTable): Parts {
  /** Told that a row is the last of all, LMDB leaves no room in the page before it. */
  function append(key: Uint8Array, part: Uint8Array): void {
    if (table.putSync(key, part, { append: true }) === false) table.put(key, part)
  }

  function erase({ number, parts }: Place): void {
    for (let part = 0; part < parts; part++) table.remove(partKey(number, part))
  }

  return {
    read(place) {
      // Memory of its own: whoever keeps it keeps nothing else.
      const bytes = Buffer.allocUnsafeSlow(place.length)
      const ends: number[] = []
      let end = 0
      for (let part = 0; part < place.parts; part++) {
        const found = table.getBinaryFast(partKey(place.number, part))
        if (found === undefined) {
          throw new Error('A part of a record is missing: the data is damaged.')
        }
        const rest = Math.max(place.length - end, 0)
        // lmdb reuses one large buffer and only sets its `length`.
        if (rest > 0) bytes.set(found.subarray(0, Math.min(found.length, rest)), end)
        end += found.length
        ends.push(end)
      }
      return { bytes, place: { ...place, ends } }
    },

    write(bytes, before) {
      const { length } = bytes
      const most = before?.ends.at(-1) ?? 0
      if (before !== undefined && length <= most && most - length < MOST_EMPTY) {
        inParts(bytes, before.ends).forEach((part, nth) => {
          table.put(partKey(before.number, nth), part)
        })
        return { ...before, length, revision: before.revision + 1 }
      }
      if (before !== undefined) erase(before)
      const { number, room } = decodeNext(table.getBinaryFast(NEXT))
      const { ends, room: left } = cut(Math.ceil(length / STEP) * STEP, room, pageSize)
      table.put(NEXT, encodeNext(number + 1, left))
      inParts(bytes, ends).forEach((part, nth) => {
        append(partKey(number, nth), part)
      })
      return { number, revision: 0, length, parts: ends.length, ends }
    },

    erase,
  }
}

/** A place as a row. */
export function encodePlace({ number, revision, length, parts }: StoredPlace): Uint8Array {
  const row = Buffer.allocUnsafe(PLACE)
  row.writeUIntBE(number, 0, 6)
  row.writeUInt32BE(length, 6)
  row[10] = parts
  row.writeUInt32BE(revision, 11)
  return row
}

/** The other way. */
export function decodePlace(row: Uint8Array): StoredPlace {
  const view = new DataView(row.buffer, row.byteOffset)
  return {
    number: numberIn(view),
    revision: view.getUint32(11),
    length: view.getUint32(6),
    parts: view.getUint8(10),
  }
}

/** Whether this row is of that place, and so the run there still the same. */
export function isPlace(row: Uint8Array, place: StoredPlace): boolean {
  const view = new DataView(row.buffer, row.byteOffset)
  // The rest follows from these.
  return numberIn(view) === place.number && view.getUint32(11) === place.revision
}

/** The number that the next parts get, and how many bytes are thought to be left in the last page. */
function encodeNext(number: number, room: number): Uint8Array {
  const row = Buffer.allocUnsafe(8)
  row.writeUIntBE(number, 0, 6)
  row.writeUInt16BE(room, 6)
  return row
}

function decodeNext(row: Uint8Array | undefined): { number: number; room: number } {
  if (row === undefined) return { number: 0, room: 0 }
  const view = new DataView(row.buffer, row.byteOffset)
  return { number: numberIn(view), room: view.getUint16(6) }
}

function numberIn(view: DataView): number {
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2)
}

function inParts(bytes: Uint8Array, ends: readonly number[]): Uint8Array[] {
  const all = Buffer.alloc(ends.at(-1) ?? 0)
  all.set(bytes)
  return ends.map((end, part) => all.subarray(ends[part - 1] ?? 0, end))
}
