import type { Context } from '../context.ts'
import { letOthersIn } from '../tokens/let-others-in.ts'
import type { StoredEntry } from '../tokens/store.ts'
import type { Tally } from './tally.ts'

/** Goes through what a long removal is about to remove, a step ahead of it. */
export interface LookAhead {
  /** Prepares as many records as the next step takes. Never rejects. */
  next(): Promise<void>
}

/** So many are prepared in one go, so that nobody waits long for it. */
const AT_ONCE = 32

/**
 * Looks ahead under these indexes, `limit` records at a time. To open what is removed and seal what
 * is owed for it takes longer than to remove it; done while the step before is on its way to the
 * disk, it costs no time, and nobody else has to wait for a store that is in the middle of a step.
 */
export function lookAhead(
  { store }: Context,
  tally: Tally,
  indexes: readonly string[],
  limit: number,
): LookAhead {
  const left = [...indexes]
  let after: string | undefined

  async function page(): Promise<readonly StoredEntry[]> {
    const [index] = left
    if (index === undefined) return []
    const listed = await store.list(index, { limit, ...(after !== undefined && { after }) })
    const isLast = listed.length < limit
    if (isLast) left.shift()
    after = isLast ? undefined : listed.at(-1)?.id
    return listed
  }

  return {
    async next() {
      try {
        const likely = await page()
        for (let at = 0; at < likely.length; at += AT_ONCE) {
          tally.prepare(likely.slice(at, at + AT_ONCE))
          await letOthersIn()
        }
      } catch {
        // Whatever is wrong with the store, the removal itself tells of it.
        left.length = 0
      }
    },
  }
}
