import type { RedisCommands } from './connection.ts'
import type { Keys } from './keys.ts'
import { slotOf } from './slot.ts'

/** What all parts of one store share: a connection, the names of its keys, the clock. */
export interface Space {
  readonly connection: RedisCommands
  readonly keys: Keys
  /** A test's clock for scripts, or nothing: then they ask the server's. */
  readonly given: () => string
  /** To compare the ends of records with, in milliseconds since the epoch. */
  readonly now: () => number
  /** Whether each slot may be on another server. Else one script may touch all keys. */
  readonly isSpread: boolean
}

/** Puts together what one script may touch: everything, or what is in one slot. */
export function groupBySlot<T>(
  { isSpread }: Pick<Space, 'isSpread'>,
  all: readonly T[],
  keyOf: (one: T) => string,
): T[][] {
  if (!isSpread) return all.length === 0 ? [] : [[...all]]
  const groups = new Map<number, T[]>()
  for (const one of all) {
    const slot = slotOf(keyOf(one))
    const group = groups.get(slot)
    if (group === undefined) groups.set(slot, [one])
    else group.push(one)
  }
  return [...groups.values()]
}

/** Records that have ended are kept so long for the sweep: somebody may owe something for them. */
const GRACE = 86_400_000
/** Nobody comes for so long: then what tells the format goes, and what a sweep needs to find records. */
export const LONGEST_ABSENCE: number = 400 * 86_400_000
/** The end of the year 9999: a server refuses much larger times. */
const FAR = 253_402_300_799_000

/** Until when a key is kept that somebody needs until then, as a command's argument. */
export function keepUntil(at: number): string {
  return String(Math.ceil(Math.min(Math.max(at, 0), FAR)) + GRACE)
}
