import type { Context } from '../context.ts'
import type { StoredEntry } from './store.ts'

/** A few milliseconds to open, also where each holds the tokens of many sessions. */
const PAGE = 64

/** Every record under an index. */
export async function* allUnder(context: Context, index: string): AsyncGenerator<StoredEntry> {
  for await (const page of pagesUnder(context, index)) yield* page
}

/** The same a page at a time, for whoever does something with many at once. */
export async function* pagesUnder(
  { store }: Context,
  index: string,
): AsyncGenerator<readonly StoredEntry[]> {
  let after: string | undefined
  for (;;) {
    const page = await store.list(index, { limit: PAGE, ...(after !== undefined && { after }) })
    yield page
    after = page.at(-1)?.id
    if (page.length < PAGE) return
  }
}
