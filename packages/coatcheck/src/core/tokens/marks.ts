import type { Established, Mark } from './store.ts'

/**
 * Whether a mark refuses what arrives: established at or before the mark's time, by the mark's
 * clock. Equality means signed out.
 */
export function covers(mark: Mark, established: Established): boolean {
  return established[mark.clock] <= mark.establishedUntil
}

/**
 * Whether leaving a mark removes a record that is there. One that names no time of the provider
 * ends whatever exists.
 */
export function ends(mark: Mark, established: Established): boolean {
  return mark.clock === 'here' || covers(mark, established)
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
