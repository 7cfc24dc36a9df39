import type { StoredRecord } from '../../core/tokens/store.ts'
import type { Ends } from './ends.ts'
import { areRefusing, type Indexes } from './indexes.ts'
import { beginNoted } from './one-step.ts'
import { read, stampOf, toLive, toShell } from './record.ts'
import type { Records } from './records.ts'
import type { Space } from './space.ts'

/** What the operations of a store are made of. */
export interface Parts {
  readonly space: Space
  readonly indexes: Indexes
  readonly records: Records
  readonly ends: Ends
}

/**
 * Adds a record, in an order that no sign-out slips through although no step spans two servers:
 * a shell, its indexes, their marks, and only then the record in place of its shell. A sign-out
 * that left its mark too late for us to see finds the shell by its index and breaks it; one that
 * came for the indexes too early left a mark that we see (decision 009).
 */
export async function insert(parts: Parts, id: string, record: StoredRecord): Promise<boolean> {
  const { indexes, records, ends, space } = parts
  const { expiresAt } = record
  if (record.indexes.length === 0) {
    if (!space.isSpread) return beginNoted(space, id, record)
    const [isNew] = await Promise.all([
      records.begin(id, toLive(record), expiresAt),
      ends.note([id], expiresAt),
    ])
    return isNew
  }
  const shell = toShell(record)
  if (!(await records.begin(id, shell, expiresAt))) return false
  const unique = [...new Set(record.indexes)]
  const [looked] = await Promise.all([
    Promise.all(unique.map((index) => indexes.add(index, [id], expiresAt))),
    ends.note([id], expiresAt),
  ])
  const stamp = stampOf(read(shell))
  // Where the shell is gone, its entries are left to whoever took it: the id may be his by now.
  if (!areRefusing(record, looked)) return records.succeed([{ id, stamp }], [{ id, record }])
  // Before the shell goes: afterwards the id and its entries may be somebody else's.
  await Promise.all([...unique.map((index) => indexes.drop(index, [id])), ends.drop([id])])
  await records.succeed([{ id, stamp }], [])
  return false
}
