import type { Owe, StoredEntry } from '../../core/tokens/store.ts'
import type { Parts } from './insert.ts'
import type { Found } from './records.ts'
import { removeFound } from './remove.ts'

/** Removes up to `limit` records that have ended, and notes the new end of those that live on. */
export async function sweep(
  parts: Parts,
  now: () => number,
  owe: Owe,
  limit: number,
): Promise<StoredEntry[]> {
  const { ends, records } = parts
  const hasEnded = ({ held }: Found): boolean => held.expiresAt <= now()
  const swept: StoredEntry[] = []
  while (swept.length < limit) {
    const due = await ends.due(limit - swept.length)
    if (due.length === 0) break
    const found = await records.readAll(due)
    const { removed, failed } = await removeFound(parts, found.filter(hasEnded), hasEnded, owe)
    swept.push(...removed)
    if (failed !== undefined) {
      if (swept.length === 0) throw failed.error
      // The others are left to the next sweep, which says why it cannot go on.
      break
    }
    const there = new Set(found.map(({ id }) => id))
    await Promise.all([
      ends.drop(due.filter((id) => !there.has(id))),
      ...found
        .filter((one) => !hasEnded(one))
        .map(({ id, held }) => ends.note([id], held.expiresAt)),
    ])
  }
  return swept
}
