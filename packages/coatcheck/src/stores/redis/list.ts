import type { StoredEntry } from '../../core/tokens/store.ts'
import type { Dangling } from './dangling.ts'
import type { Parts } from './insert.ts'
import { isUnder } from './record.ts'

/** Live records under an index, in the order of their ids. */
export async function list(
  { indexes, records }: Parts,
  dangling: Dangling,
  now: () => number,
  index: string,
  page: { readonly after?: string; readonly limit: number },
): Promise<StoredEntry[]> {
  const listed: StoredEntry[] = []
  for (let { after } = page; ; ) {
    const ids = await indexes.page(index, after, page.limit)
    const found = await records.readAll(ids)
    const there = new Set(found.map(({ id }) => id))
    await dangling.saw(
      index,
      ids.filter((id) => !there.has(id)),
    )
    for (const { id, held } of found) {
      if (!held.isLive || !isUnder(index, held)) continue
      // A damaged record says nothing of its end.
      if (held.expiresAt > now() || held.isDamaged) listed.push({ id, value: held.value })
    }
    if (listed.length >= page.limit) return listed.slice(0, page.limit)
    if (ids.length < page.limit) return listed
    after = ids.at(-1)
  }
}
