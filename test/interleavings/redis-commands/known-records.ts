import { ends } from '#coatcheck/core/tokens/marks'
import type { IndexMark, StoredRecord } from '#coatcheck/core/tokens/store'
import { type Operation, OWED, textOf } from './operations.ts'

/** What was said of records when they were written, by what they hold. */
export interface KnownRecords {
  of(
    value: string | undefined,
  ): Pick<StoredRecord, 'indexes' | 'established' | 'expiresAt'> | undefined
}

/** All that these operations write. */
export function createRecords(operations: readonly Operation[]): KnownRecords {
  const known = new Map<string | undefined, StoredRecord>()
  for (const operation of operations) {
    if (!('entry' in operation)) continue
    known.set(textOf(operation.entry.record), operation.entry.record)
  }
  const owed = {
    indexes: [OWED],
    established: { provider: Number.MAX_SAFE_INTEGER, here: Number.MAX_SAFE_INTEGER },
    expiresAt: Number.MAX_SAFE_INTEGER,
  }
  return { of: (value) => (value?.startsWith('of w.') ? owed : known.get(value)) }
}

/** Whether one of the marks ends a record that is there. */
export function areEnding(
  marks: readonly IndexMark[],
  record: ReturnType<KnownRecords['of']>,
  resumed: boolean,
): boolean {
  return marks.some(
    ({ index, mark }) =>
      record?.indexes.includes(index) === true && ends(mark, record.established, resumed),
  )
}
