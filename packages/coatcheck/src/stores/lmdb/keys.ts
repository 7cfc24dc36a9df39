import type { Established } from '../../core/tokens/store.ts'

/*
 * One table holds all rows; the first byte of a key says what a row is.
 *
 *   c name                  a claim, and until when
 *   e time key              when the row with that key ends; in this order rows are swept
 *   i length index id       a record can be found under an index
 *   m clock index           a mark
 *   n                       where the next record's parts go
 *   o                       how far the journal has come
 *   r id                    where a record's parts are
 *   v number part           a part of a record
 *
 * Parts come last and are numbered in the order in which they are written: LMDB fills its pages
 * only where rows are added at the very end.
 */

/** Longer names are refused. The core's have at most 64 bytes. */
const LONGEST_NAME = 255
/** Where the next parts go. */
export const NEXT: Uint8Array = Buffer.from('n')
/** How far the journal has come. Beside the row above, which most steps write too. */
export const PROGRESS: Uint8Array = Buffer.from('o')
/** Milliseconds from here on are all the same to the sweep. */
const END_OF_TIME = 2 ** 48 - 1
/** Kind and time. */
const END_PREFIX = 7

/** The range of all {@link recordKey}s. */
export const ALL_RECORDS: { readonly start: Uint8Array; readonly end: Uint8Array } = {
  start: Buffer.from('r'),
  end: Buffer.from('s'),
}

/** Where a record's parts are. */
export function recordKey(id: string): Uint8Array {
  return named('r', id)
}

/** A part of a record. */
export function partKey(number: number, part: number): Uint8Array {
  const key = Buffer.allocUnsafe(8)
  key[0] = 0x76
  key.writeUIntBE(number, 1, 6)
  key[7] = part
  return key
}

/** That a record can be found under an index. */
export function indexKey(index: string, id: string): Uint8Array {
  const [indexLength, idLength] = [lengthOf(index), lengthOf(id)]
  const key = Buffer.allocUnsafe(2 + indexLength + idLength)
  key[0] = 0x69
  key[1] = indexLength
  key.write(index, 2)
  key.write(id, 2 + indexLength)
  return key
}

/** The range of all {@link indexKey}s of an index, or of those with an id after this one. */
export function indexRange(index: string, after?: string): { start: Uint8Array; end: Uint8Array } {
  const prefix = indexPrefix(index)
  const first = after === undefined ? [] : [bytesOf(after), Uint8Array.of(0)]
  return { start: Buffer.concat([prefix, ...first]), end: Buffer.concat([prefix, AFTER_ALL]) }
}

/** The id in an {@link indexKey}. */
export function idIn(key: Uint8Array): string {
  return text(key.subarray(2 + (key[1] ?? 0)))
}

/** A mark of this clock on an index. */
export function markKey(clock: keyof Established, index: string): Uint8Array {
  return Buffer.concat([Buffer.from(clock === 'here' ? 'mh' : 'mp'), bytesOf(index)])
}

/** A claim. */
export function claimKey(key: string): Uint8Array {
  return named('c', key)
}

/** When a row ends. */
export function endKey(at: number, row: Uint8Array): Uint8Array {
  const key = Buffer.allocUnsafe(END_PREFIX + row.length)
  writeEnd(key, Math.ceil(at))
  key.set(row, END_PREFIX)
  return key
}

/** The range of the {@link endKey}s of rows that have ended. */
export function endRange(now: number): { start: Uint8Array; end: Uint8Array } {
  return { start: endPrefix(0), end: endPrefix(Math.floor(now) + 1) }
}

/** The key of the row that an {@link endKey} is about. */
export function endedRow(key: Uint8Array): Uint8Array {
  return key.subarray(END_PREFIX)
}

/** The id of a record whose {@link recordKey} this is, or nothing where it is another row's. */
export function recordId(key: Uint8Array): string | undefined {
  return key[0] === 0x72 ? text(key.subarray(1)) : undefined
}

/** After every id, since no UTF-8 has this byte. */
const AFTER_ALL = Uint8Array.of(0xff)

function indexPrefix(index: string): Uint8Array {
  const bytes = bytesOf(index)
  return Buffer.concat([Uint8Array.of(0x69, bytes.length), bytes])
}

function endPrefix(at: number): Uint8Array {
  const prefix = Buffer.allocUnsafe(END_PREFIX)
  writeEnd(prefix, at)
  return prefix
}

function writeEnd(key: Buffer, at: number): void {
  key[0] = 0x65
  key.writeUIntBE(Math.min(Math.max(at, 0), END_OF_TIME), 1, 6)
}

function named(kind: string, name: string): Uint8Array {
  const key = Buffer.from(kind + name)
  if (key.length > LONGEST_NAME + 1) refuse(key.length - 1)
  return key
}

function bytesOf(name: string): Uint8Array {
  lengthOf(name)
  return Buffer.from(name)
}

function lengthOf(name: string): number {
  const length = Buffer.byteLength(name)
  return length > LONGEST_NAME ? refuse(length) : length
}

function refuse(length: number): never {
  throw new RangeError(
    `An id, index or claim of the LMDB store has at most ${LONGEST_NAME} bytes, this one has ${length}.`,
  )
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
}
