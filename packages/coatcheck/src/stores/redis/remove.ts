import type { Owe, StoredEntry } from '../../core/tokens/store.ts'
import type { Parts } from './insert.ts'
import type { HeldRecord } from './record.ts'
import type { Records } from './records.ts'
import { type Found, take } from './take.ts'

/** Removes a record, whatever becomes of it meanwhile: what is owed is owed for its last version. */
export async function remove(parts: Parts, id: string, owe?: Owe): Promise<Uint8Array | undefined> {
  const isLive = ({ held }: Found): boolean => held.isLive
  const found = await readFound(parts.records, [id])
  const [removed] = await removeFound(parts, found.filter(isLive), isLive, owe)
  return removed?.value
}

/** Removes what was found. What has changed since is looked at again, and ends if it still should. */
export async function removeFound(
  parts: Parts,
  found: readonly Found[],
  should: (found: Found) => boolean,
  owe?: Owe,
): Promise<StoredEntry[]> {
  const removed: StoredEntry[] = []
  for (let left = found; left.length > 0; ) {
    const taken = await take(parts, left, owe)
    removed.push(...taken.removed)
    left = (await readFound(parts.records, taken.changed)).filter(should)
  }
  return removed
}

/** Those of these records that are there. */
export async function readFound(records: Records, ids: readonly string[]): Promise<Found[]> {
  const read = await Promise.all(ids.map((id) => records.read(id)))
  return read.flatMap((held: HeldRecord | undefined, at) => {
    const id = ids[at]
    return held === undefined || id === undefined ? [] : [{ id, held }]
  })
}
