import type { Established, StoredRecord } from '../../core/tokens/store.ts'

/*
 * expiresAt, established.provider, established.here   a double each, so that any number comes back
 * where the value begins                              16 bits
 * length and text of each index
 * the value
 */

/** A record as one run of bytes. Throws where a time is no number or there are too many indexes. */
export function toBytes({ value, expiresAt, established, indexes }: StoredRecord): Uint8Array {
  const texts = indexes.map((index) => Buffer.from(index))
  const head = texts.reduce((sum, text) => sum + 1 + text.length, TEXTS_AT)
  const bytes = Buffer.allocUnsafe(head + value.length)
  bytes.writeDoubleBE(time(expiresAt), 0)
  bytes.writeDoubleBE(time(established.provider), 8)
  bytes.writeDoubleBE(time(established.here), 16)
  bytes.writeUInt16BE(head, 24)
  let at = TEXTS_AT
  for (const text of texts) {
    bytes[at] = text.length
    text.copy(bytes, at + 1)
    at += 1 + text.length
  }
  bytes.set(value, at)
  return bytes
}

/** The value in a record's bytes, without a copy. */
export function valueIn(bytes: Buffer): Uint8Array {
  return bytes.subarray(bytes.readUInt16BE(24))
}

/** Where the value begins, or further than any bytes reach where these are none of a record. */
export function headLengthOf(bytes: Buffer): number {
  return bytes.length < TEXTS_AT ? Number.POSITIVE_INFINITY : bytes.readUInt16BE(24)
}

/** When the record ends. */
export function expiresAtIn(bytes: Buffer): number {
  return bytes.readDoubleBE(0)
}

/** What marks are compared with. */
export function establishedIn(bytes: Buffer): Established {
  return { provider: bytes.readDoubleBE(8), here: bytes.readDoubleBE(16) }
}

/** Under which indexes the record is found. */
export function indexesIn(bytes: Buffer): string[] {
  const indexes: string[] = []
  const head = bytes.readUInt16BE(24)
  for (let at = TEXTS_AT; at < head; ) {
    const end = at + 1 + (bytes[at] ?? 0)
    indexes.push(bytes.toString('utf8', at + 1, end))
    at = end
  }
  return indexes
}

const TEXTS_AT = 26

function time(milliseconds: number): number {
  if (!Number.isNaN(milliseconds)) return milliseconds
  throw new TypeError('A time of a record is a number of milliseconds since the epoch, got NaN.')
}
