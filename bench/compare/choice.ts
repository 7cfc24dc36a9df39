import type { Contestant, Need } from './contestant.ts'
import type { Missing } from './provide.ts'

/** Who takes part. */
export interface Choice {
  /** Whether it is wanted, and all it needs is here. */
  readonly has: (contestant: Contestant) => boolean
  /** Those, and the bare ones that they are measured beside. */
  withBare(all: readonly Contestant[]): Contestant[]
  /** Why it cannot run here; nothing where it can. */
  readonly missingFor: (needs: readonly Need[]) => string | undefined
}

/** Those whose names have one of the words: everybody, without any. */
export function choose(missing: Missing, words: readonly string[]): Choice {
  const missingFor: Choice['missingFor'] = (needs) =>
    needs.flatMap((need) => missing[need] ?? [])[0]
  const has: Choice['has'] = ({ name, needs }) =>
    missingFor(needs) === undefined &&
    (words.length === 0 || words.some((word) => name.includes(word)))
  return {
    has,
    missingFor,
    withBare(all) {
      const bare = new Set(all.filter(has).map((one) => one.bare))
      return all.filter((one) => has(one) || bare.has(one.name))
    },
  }
}
