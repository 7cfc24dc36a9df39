import { createHash, randomBytes } from 'node:crypto'

/** One row that a step wrote, or (without a value) removed. */
export interface WrittenRow {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** What one step wrote, as the journal keeps it. */
export interface Entry {
  /** Of the step: each that writes has the next number. */
  readonly number: number
  /** Of everything up to here: the next entry is tied to it. */
  readonly digest: Uint8Array
  readonly rows: readonly WrittenRow[]
}

/** Length of what follows, number, salt, digest. */
export const HEADER: number = 52
/** Where in the header the digest is, and how long. */
export const DIGEST_AT: number = 20
export const DIGEST: number = 32
/** What a length says of a row that was removed. */
const REMOVED = 0xffffffff

/**
 * An entry as bytes. It is tied to the entry before it, and two that say the same differ: so nothing
 * that was left behind by a process which died, or from before a loss of power, passes for what
 * follows.
 */
export function encodeEntry(
  number: number,
  before: Uint8Array,
  rows: readonly WrittenRow[],
): { readonly bytes: Buffer; readonly digest: Uint8Array } {
  const length = rows.reduce(
    (sum, { key, value }) => sum + 6 + key.length + (value?.length ?? 0),
    0,
  )
  const bytes = Buffer.allocUnsafe(HEADER + length)
  bytes.writeUInt32BE(length)
  bytes.writeDoubleBE(number, 4)
  bytes.set(randomBytes(8), 12)
  let at = HEADER
  for (const { key, value } of rows) {
    bytes.writeUInt16BE(key.length, at)
    bytes.writeUInt32BE(value?.length ?? REMOVED, at + 2)
    bytes.set(key, at + 6)
    if (value !== undefined) bytes.set(value, at + 6 + key.length)
    at += 6 + key.length + (value?.length ?? 0)
  }
  const digest = digestOf(before, bytes)
  bytes.set(digest, DIGEST_AT)
  return { bytes, digest }
}

/** How many bytes follow the header, if this is the header of the entry with that number. */
export function lengthIn(header: Buffer, number: number): number | undefined {
  return header.readDoubleBE(4) === number ? header.readUInt32BE(0) : undefined
}

/** The entry in these bytes, if it is whole and follows the one with that digest. */
export function decodeEntry(bytes: Buffer, before: Uint8Array): Entry | undefined {
  const digest = digestOf(before, bytes)
  if (!digest.equals(bytes.subarray(DIGEST_AT, HEADER))) return undefined
  const rows: WrittenRow[] = []
  for (let at = HEADER; at < bytes.length; ) {
    const from = at + 6
    const until = from + bytes.readUInt16BE(at)
    const length = bytes.readUInt32BE(at + 2)
    at = length === REMOVED ? until : until + length
    const value = length === REMOVED ? undefined : bytes.subarray(until, at)
    rows.push({ key: bytes.subarray(from, until), value })
  }
  return { number: bytes.readDoubleBE(4), digest, rows }
}

function digestOf(before: Uint8Array, bytes: Buffer): Buffer {
  const hash = createHash('sha256').update(before)
  return hash.update(bytes.subarray(0, DIGEST_AT)).update(bytes.subarray(HEADER)).digest()
}
