import { headLengthOf } from '../../stores/layout/record-bytes.ts'
import type { RawContents, RawEntry } from './entry.ts'
import { printable } from './printable.ts'

/** The part of lmdb's `RootDatabase` that is read. What `open()` of npm `lmdb` gives fits. */
export interface ReadableLmdb {
  openDB(options: {
    name: string
    encoding: 'binary'
    keyEncoding: 'binary'
    compression: false
  }): ReadableLmdbTable
}

/** The part of lmdb's `Database` that is read. */
export interface ReadableLmdbTable {
  getRange(range: object): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>
  resetReadTxn(): void
}

/** The table of `lmdbStore`. */
const OURS = 'coatcheck'
/** Rows of it that are a part of a record: number, part. */
const PART = 0x76
const PART_KEY_LENGTH = 8
/** What LMDB keeps of a named database, in the row of the main one that has its name. */
const NAMED_DATABASE_LENGTH = 48

/**
 * Every row of every database of an LMDB environment, whoever's they are. The rows that together
 * hold one record of coatcheck's are one entry, also where nothing leads to them any more.
 *
 * It shows what is in the environment now. What was erased may still be in the pages of the file:
 * see `fileContents`. Rows that another application has lmdb compress are shown compressed.
 */
export function lmdbContents(database: ReadableLmdb): RawContents {
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<RawEntry> {
      // The main database has no name; lmdb's types do not know that it can be read like others.
      const main = openRaw(database, null as unknown as string)
      const names: string[] = []
      for (const { key, value } of rowsOf(main)) {
        const name = nameIn(key, value)
        if (name === undefined) yield toEntry('main database', key, value)
        else names.push(name)
      }
      for (const name of names) {
        const rows = rowsOf(openRaw(database, name))
        if (name === OURS) yield* joined(rows)
        else for (const { key, value } of rows) yield toEntry(name, key, value)
      }
    },
  }
}

interface Row {
  readonly key: Buffer
  readonly value: Buffer
}

function openRaw(database: ReadableLmdb, name: string): ReadableLmdbTable {
  const table = database.openDB({
    name,
    encoding: 'binary',
    keyEncoding: 'binary',
    compression: false,
  })
  table.resetReadTxn()
  return table
}

function* rowsOf(table: ReadableLmdbTable): Generator<Row> {
  // Copied: lmdb may use the memory again for the next row.
  for (const { key, value } of table.getRange({})) {
    yield { key: Buffer.from(key), value: Buffer.from(value) }
  }
}

function nameIn(key: Buffer, value: Buffer): string | undefined {
  const isNamed = value.length === NAMED_DATABASE_LENGTH && key.at(-1) === 0
  return isNamed ? key.toString('utf8', 0, key.length - 1) : undefined
}

/** Parts of a record follow one another. What tells which record they are of comes before them. */
function* joined(rows: Iterable<Row>): Generator<RawEntry> {
  const found = new Map<number, Found>()
  let parts: Row[] = []
  for (const row of rows) {
    const { key, value } = row
    const isPart = key[0] === PART && key.length === PART_KEY_LENGTH
    const [first] = parts
    if (first !== undefined && !(isPart && numberOf(key) === numberOf(first.key))) {
      yield* recordOf(parts, found)
      parts = []
    }
    if (isPart) parts.push(row)
    else {
      if (key[0] === 0x72 && value.length >= 10) {
        const id = key.toString('utf8', 1)
        found.set(value.readUIntBE(0, 6), { id, length: value.readUInt32BE(6) })
      }
      yield { ...toEntry(OURS, key, value), isMark: isMark(key) }
    }
  }
  if (parts.length > 0) yield* recordOf(parts, found)
}

/** What the row that leads to a record says of it. */
interface Found {
  readonly id: string
  readonly length: number
}

function* recordOf(parts: readonly Row[], found: ReadonlyMap<number, Found>): Generator<RawEntry> {
  const number = numberOf(parts[0]?.key ?? Buffer.alloc(PART_KEY_LENGTH))
  const all = Buffer.concat(parts.map(({ value }) => value))
  const { id, length } = found.get(number) ?? { id: undefined, length: all.length }
  const [bytes, rest] = [all.subarray(0, length), all.subarray(length)]
  const head = headLengthOf(bytes)
  const place = `${OURS}: record ${id ?? 'that nothing leads to'}, parts ${number}`
  yield {
    place,
    key: Buffer.concat(parts.map(({ key }) => key)),
    bytes,
    record: { id: id ?? '', sealedAt: head <= bytes.length ? head : 0 },
  }
  // Room that the record may grow into: there are zeros.
  if (rest.some((byte) => byte !== 0)) yield { place: `${place}, behind it`, bytes: rest }
}

function numberOf(key: Buffer): number {
  return key.readUIntBE(1, 6)
}

/** The row of a mark, and the one that says when it ends. */
function isMark(key: Buffer): boolean {
  return key[0] === 0x6d || (key[0] === 0x65 && key[7] === 0x6d)
}

function toEntry(database: string, key: Buffer, bytes: Buffer): RawEntry {
  return { place: `${database}: ${printable(key)}`, key, bytes }
}
