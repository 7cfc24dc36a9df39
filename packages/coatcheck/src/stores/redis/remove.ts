import type { Owe, StoredEntry } from '../../core/tokens/store.ts'
import type { Parts } from './insert.ts'
import type { Found } from './records.ts'
import { take } from './take.ts'

/** Removes a record, whatever becomes of it meanwhile: what is owed is owed for its last version. */
export async function remove(parts: Parts, id: string, owe?: Owe): Promise<Uint8Array | undefined> {
  const isLive = ({ held }: Found): boolean => held.isLive
  const found = await parts.records.readAll([id])
  const { removed, failed } = await removeFound(parts, found.filter(isLive), isLive, owe)
  if (failed !== undefined) throw failed.error
  return removed[0]?.value
}

/** What came of a removal of several. */
export interface FoundRemoved {
  readonly removed: readonly StoredEntry[]
  /** Why the others are still there. What was removed before is told all the same: it is owed for. */
  readonly failed: { readonly error: unknown } | undefined
}

/** Removes what was found. What has changed since is looked at again, and ends if it still should. */
export async function removeFound(
  parts: Parts,
  found: readonly Found[],
  should: (found: Found) => boolean,
  owe?: Owe,
): Promise<FoundRemoved> {
  const removed: StoredEntry[] = []
  try {
    for (let left = found; left.length > 0; ) {
      const taken = await take(parts, left, owe)
      removed.push(...taken.removed)
      left = (await parts.records.readAll(taken.changed)).filter(should)
    }
  } catch (error) {
    return { removed, failed: { error } }
  }
  return { removed, failed: undefined }
}
