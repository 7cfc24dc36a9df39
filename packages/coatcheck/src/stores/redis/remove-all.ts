import { ends } from '../../core/tokens/marks.ts'
import type { IndexMark, Removal, RemovalStep } from '../../core/tokens/store.ts'
import { insert, type Parts } from './insert.ts'
import { isUnder } from './record.ts'
import type { Found } from './records.ts'
import { remove, removeFound } from './remove.ts'

/**
 * Leaves the marks before it reads any index: whoever comes under one later finds its mark
 * (decision 009). Then it removes what it finds, and breaks the shells of those under way.
 */
export async function removeAll(
  parts: Parts,
  marks: readonly IndexMark[],
  { owe, limit, unfinished, resumed }: Removal,
): Promise<RemovalStep> {
  // A shell is not there yet: like whatever arrives later, it ends only where a mark covers it.
  const isCovered = ({ held }: Found): boolean =>
    marks.some(
      ({ index, mark }) =>
        isUnder(index, held) && ends(mark, held.established, resumed || !held.isLive),
    )
  const covered = await markAndFind(parts, marks, isCovered, limit)
  // One record goes in one step; of several, some may be gone when we die.
  const isLong = covered.length > 1
  const isOurs = isLong && (await insert(parts, unfinished.id, unfinished.record))
  const { removed, failed } = await removeFound(parts, covered.slice(0, limit), isCovered, owe)
  if (failed !== undefined && removed.length === 0) throw failed.error
  // Why it could not go on, the next step says.
  const more = failed !== undefined || covered.length > limit
  if (isOurs && !more) await remove(parts, unfinished.id)
  return { removed, more }
}

/** The records that the marks end, and one more than `limit` where there are so many. */
async function markAndFind(
  { indexes, records }: Parts,
  marks: readonly IndexMark[],
  isCovered: (found: Found) => boolean,
  limit: number,
): Promise<Found[]> {
  const size = limit + 1
  const pages = await indexes.mark(marks, size)
  const covered = new Map<string, Found>()
  for (const [nth, { index }] of marks.entries()) {
    for (let page = pages[nth] ?? []; page.length > 0; ) {
      const fresh = page.filter((id) => !covered.has(id))
      for (const found of await records.readAll(fresh)) {
        if (isCovered(found)) covered.set(found.id, found)
      }
      if (covered.size > limit) return [...covered.values()].slice(0, size)
      page = page.length < size ? [] : await indexes.page(index, page.at(-1), size)
    }
  }
  return [...covered.values()]
}
