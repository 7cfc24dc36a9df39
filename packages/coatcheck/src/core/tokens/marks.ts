import type { Established, Mark, StoredRecord } from './store.ts'

const CLOCKS: readonly (keyof Established)[] = ['provider', 'here']

/**
 * Whether a mark that is still kept on one of a record's indexes refuses it. `find` reads the one
 * mark of an index and a clock.
 */
export function isRefused(
  { established, indexes }: StoredRecord,
  now: number,
  find: (clock: keyof Established, index: string) => Mark | undefined,
): boolean {
  return indexes.some((index) =>
    CLOCKS.some((clock) => {
      const mark = find(clock, index)
      return mark !== undefined && mark.keepUntil > now && covers(mark, established)
    }),
  )
}

/**
 * Whether leaving a mark removes a record that is there. One that names no time of the provider
 * ends whatever exists, but for a removal that was begun before.
 */
export function ends(mark: Mark, established: Established, resumed: boolean): boolean {
  return (mark.clock === 'here' && !resumed) || covers(mark, established)
}

/** Two marks of one index and one clock as one: neither gives way to an earlier or shorter one. */
export function widen(before: Mark | undefined, mark: Mark): Mark {
  if (before === undefined) return mark
  return {
    clock: mark.clock,
    establishedUntil: Math.max(before.establishedUntil, mark.establishedUntil),
    keepUntil: Math.max(before.keepUntil, mark.keepUntil),
  }
}

/**
 * Whether what arrives was established at or before the mark's time, by the mark's clock.
 * Equality means signed out.
 */
function covers(mark: Mark, established: Established): boolean {
  return established[mark.clock] <= mark.establishedUntil
}
