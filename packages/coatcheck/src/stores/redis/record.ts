import { createHash, randomBytes } from 'node:crypto'
import type { Established, StoredRecord } from '../../core/tokens/store.ts'
import {
  establishedIn,
  expiresAtIn,
  headLengthOf,
  indexesIn,
  toBytes,
  valueIn,
} from '../layout/record-bytes.ts'

/*
 *   state     1 byte: S a shell, L live, W live and on its way under more indexes
 *   version   16 bytes, another for each value: what a compare-and-set compares
 *   expiresAt, established, indexes, value: layout/record-bytes.ts
 *
 * A shell is a record that is being inserted. It is found under its indexes, so that a sign-out
 * can break it, and it holds nothing. Of a record on its way nobody may believe that it is entered
 * under each of its indexes: whoever was at it may have died.
 */

/** A record as it was read. */
export interface HeldRecord {
  readonly bytes: Buffer
  readonly isLive: boolean
  /** Somebody else wrote over it. The core refuses such bytes; every sign-out removes them. */
  readonly isDamaged: boolean
  readonly expiresAt: number
  readonly established: Established
  readonly indexes: readonly string[]
  /** Without a copy. */
  readonly value: Uint8Array
}

const LIVE = 0x4c
const SHELL = 0x53
const ON_ITS_WAY = 0x57
const STATES: readonly number[] = [LIVE, SHELL, ON_ITS_WAY]
const HEAD = 1 + 16
/** In the bytes of layout/record-bytes.ts: behind three times. */
const INDEXES_AT = 24

/** A record's bytes. */
export function toLive(record: StoredRecord): Buffer {
  return Buffer.concat([Uint8Array.of(LIVE), versionOf(record.value), toBytes(record)])
}

/** The bytes of a record that is being inserted. */
export function toShell(record: StoredRecord): Buffer {
  const nothing = toBytes({ ...record, value: new Uint8Array(0) })
  return Buffer.concat([Uint8Array.of(SHELL), randomBytes(16), nothing])
}

/** The value in a record's bytes, unless the record has ended or is a shell. */
export function currentValueIn(bytes: Buffer, now: number): Uint8Array | undefined {
  if (!isWhole(bytes)) return bytes
  const rest = bytes.subarray(HEAD)
  return bytes[0] !== SHELL && expiresAtIn(rest) > now ? valueIn(rest) : undefined
}

/** What a record's bytes say. */
export function read(bytes: Buffer): HeldRecord {
  if (!isWhole(bytes)) {
    const unknown = { expiresAt: 0, established: { provider: 0, here: 0 }, indexes: [] }
    return { bytes, isLive: true, isDamaged: true, value: bytes, ...unknown }
  }
  const rest = bytes.subarray(HEAD)
  return {
    bytes,
    isLive: bytes[0] !== SHELL,
    isDamaged: false,
    expiresAt: expiresAtIn(rest),
    established: establishedIn(rest),
    indexes: indexesIn(rest),
    value: valueIn(rest),
  }
}

/** Where the value begins: at the start, where somebody wrote over it. */
export function valueAt(bytes: Buffer): number {
  return isWhole(bytes) ? HEAD + headLengthOf(bytes.subarray(HEAD)) : 0
}

/** Whether a record really is under an index whose entry led to it. */
export function isUnder(index: string, { indexes, isDamaged }: HeldRecord): boolean {
  return isDamaged || indexes.includes(index)
}

/** State and version: what a record must still be when somebody writes over it. */
export function stampOf({ bytes }: HeldRecord): Buffer {
  return bytes.subarray(0, HEAD)
}

/** The same of the live record that holds this value. */
export function stampOfLive(value: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(LIVE), versionOf(value)])
}

/** The run of bytes that says under which indexes a record is found. */
export function indexBytesIn(bytes: Buffer): Buffer {
  const rest = bytes.subarray(HEAD)
  return rest.subarray(INDEXES_AT, headLengthOf(rest))
}

/** The same record on its way under more indexes. */
export function toOnItsWay(held: HeldRecord, indexes: readonly string[]): Buffer {
  const { value, expiresAt, established } = held
  const bytes = toLive({ value, expiresAt, established, indexes })
  bytes[0] = ON_ITS_WAY
  return bytes
}

function isWhole(bytes: Buffer): boolean {
  const isOurs = STATES.includes(bytes[0] ?? 0)
  return isOurs && headLengthOf(bytes.subarray(HEAD)) <= bytes.length - HEAD
}

function versionOf(value: Uint8Array): Buffer {
  return createHash('sha256').update(value).digest().subarray(0, 16)
}
