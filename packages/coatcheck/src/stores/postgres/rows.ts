import type { IndexMark, StoredEntry, StoredRecord, Successor } from '../../core/tokens/store.ts'
import type { Row } from './database.ts'
import { checkName, checkTime } from './names.ts'
import { cut } from './parts.ts'

/** The parameters of a record, checked: id, both parts of the value, three times, indexes. */
export function recordValues(id: string, record: StoredRecord): readonly unknown[] {
  const { value, expiresAt, established, indexes } = record
  return [
    checkName(id),
    ...cut(value),
    checkTime(expiresAt),
    checkTime(established.provider),
    checkTime(established.here),
    [...new Set(indexes.map(checkName))],
  ]
}

/**
 * The parameters of several records, checked: ids, all values in one run of bytes, how long both
 * parts of each are, three times, and whose each index is. One run, because `pg` writes bytes in a
 * list as text. Of two with one id the last counts.
 */
export function recordsValues(successors: readonly Successor[]): readonly unknown[] {
  const rows = [...new Map(successors.map((one) => [one.id, one])).values()].map(({ id, record }) =>
    recordValues(id, record),
  )
  const values = rows.map(([, head, tail]) => [head as Buffer, tail as Buffer] as const)
  const found = rows.flatMap((row) => (row.at(-1) as string[]).map((index) => [row[0], index]))
  return [
    rows.map(([id]) => id),
    Buffer.concat(values.flat()),
    values.map(([head]) => head.length),
    values.map(([, tail]) => tail.length),
    ...[3, 4, 5].map((column) => rows.map((row) => row[column])),
    found.map(([id]) => id),
    found.map(([, index]) => index),
  ]
}

/** The parameters of marks, checked: indexes, clocks, and the two times of each. */
export function marksValues(marks: readonly IndexMark[]): [string[], string[], number[], number[]] {
  return [
    marks.map(({ index }) => checkName(index)),
    marks.map(({ mark }) => mark.clock),
    marks.map(({ mark }) => checkTime(mark.establishedUntil)),
    marks.map(({ mark }) => checkTime(mark.keepUntil)),
  ]
}

/** What the caller of the store gets to see. */
export function toEntry(row: Row): StoredEntry {
  return { id: row['id'] ?? '', value: toValue(row) ?? new Uint8Array(0) }
}

/** The bytes of a row, if it has any. */
export function toValue(row: Row | undefined): Uint8Array | undefined {
  const text = row?.['value']
  // Memory of its own: whoever keeps it keeps nothing else with it.
  return text === undefined || text === null
    ? undefined
    : new Uint8Array(Buffer.from(text, 'base64'))
}

/** Whether a column says yes. */
export function isTrue(row: Row | undefined, column: string): boolean {
  return row?.[column] === 't'
}
