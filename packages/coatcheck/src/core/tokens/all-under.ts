import type { Context } from '../context.ts'
import type { StoredEntry } from './store.ts'

const PAGE = 128

/** Every record under an index, a page at a time. */
export async function* allUnder(context: Context, index: string): AsyncGenerator<StoredEntry> {
  let after: string | undefined
  for (;;) {
    const page = await context.store.list(index, {
      limit: PAGE,
      ...(after !== undefined && { after }),
    })
    yield* page
    after = page.at(-1)?.id
    if (page.length < PAGE) return
  }
}
