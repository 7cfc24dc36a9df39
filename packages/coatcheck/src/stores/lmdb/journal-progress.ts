import { randomBytes } from 'node:crypto'
import { DIGEST } from './journal-entry.ts'
import { PROGRESS } from './keys.ts'
import type { LmdbTable } from './table.ts'

/**
 * How far the journal has come. It is a row of the table, written in the very step that an entry is
 * about: so what the environment holds and what the journal has to add never disagree.
 */
export interface Progress {
  /** Of the last step that wrote. */
  readonly number: number
  /** Of the last entry. */
  readonly digest: Uint8Array
  /** Where the next entry goes: in which half of the file, and how far in it. */
  readonly half: number
  readonly offset: number
  /** No step before this one has its entry in this half. */
  readonly since: number
  /** The last step whose entry the next one may overwrite. */
  readonly overwrites: number
  /** The last step that has no entry. */
  readonly hole: number
  /** All steps up to this one are known to be in the environment, on disk. */
  readonly flushed: number
}

/** Each entry begins a page: what is on disk is never written again for its neighbour's sake. */
const PAGE = 4096
/** Two halves of it are the file. One is written while the environment's flushes pass the other. */
export const HALF: number = 128 * PAGE
/** Larger entries are not written: then the environment itself is waited for. */
export const LARGEST: number = 32 * PAGE
const NUMBERS = 7

/** Where all begins, in an environment that is like no other: another's journal says nothing here. */
export function noProgress(): Progress {
  const digest = randomBytes(DIGEST)
  return { number: 0, digest, half: 0, offset: 0, since: 1, overwrites: 0, hole: 0, flushed: 0 }
}

/** Where in the file the next entry goes. */
export function placeOf({ half, offset }: Progress): number {
  return half * HALF + offset
}

/** After one more step with an entry of so many bytes. */
export function advance(before: Progress, length: number, digest: Uint8Array): Progress {
  const number = before.number + 1
  const offset = before.offset + Math.ceil(length / PAGE) * PAGE
  const same = { ...before, number, digest, offset }
  // Not by what comes next: where that goes must be the same whoever writes it.
  if (offset + LARGEST <= HALF) return same
  return {
    ...same,
    half: 1 - before.half,
    offset: 0,
    since: number + 1,
    overwrites: before.since - 1,
  }
}

/** Reads the row. */
export function readProgress(table: LmdbTable): Progress {
  const row = table.getBinaryFast(PROGRESS)
  if (row === undefined)
    throw new Error('How far the journal has come is missing: the data is damaged.')
  const view = new DataView(row.buffer, row.byteOffset)
  const [number = 0, half = 0, offset = 0, since = 0, overwrites = 0, hole = 0, flushed = 0] =
    Array.from({ length: NUMBERS }, (_, at) => view.getFloat64(at * 8))
  const digest = Uint8Array.from(row.subarray(NUMBERS * 8, NUMBERS * 8 + DIGEST))
  return { number, digest, half, offset, since, overwrites, hole, flushed }
}

/** Writes it. Called inside a transaction. */
export function writeProgress(table: LmdbTable, progress: Progress): void {
  const { number, digest, half, offset, since, overwrites, hole, flushed } = progress
  const row = Buffer.allocUnsafe(NUMBERS * 8 + DIGEST)
  ;[number, half, offset, since, overwrites, hole, flushed].forEach((value, at) => {
    row.writeDoubleBE(value, at * 8)
  })
  row.set(digest, NUMBERS * 8)
  table.put(PROGRESS, row)
}
