import type { Actor } from './explore.ts'
import { areEnding, type KnownRecords } from './known-records.ts'
import { OWED, type RemoveAll, unfinishedId } from './operations.ts'
import type { Live, Snapshot } from './snapshots.ts'

/** What a removal owes at each moment after it began. */
export function checkRemoval(actor: Actor, snapshot: Snapshot, known: KnownRecords): void {
  const { operation, began } = actor
  if (operation.kind !== 'removeAll' || began === undefined) return
  if (isDone(actor)) isGone(operation, began.live, snapshot.live, known)
  else isWrittenDown(actor, operation, began.live, snapshot, known)
}

/** A session that was taken back does not come. */
export function checkTakenBack({ operation, progress }: Actor, { live }: Snapshot): void {
  if (operation.kind !== 'takeBack' || progress.outcome === undefined) return
  const served = live.get(operation.entry.id)
  if (served !== 'nobody') throw new Error(`[gone] it was taken back, and ${served} is served`)
}

/** Whether a removal has answered that nothing it covers is left. */
export function isDone({ progress: { outcome } }: Actor): boolean {
  if (outcome === undefined || !('value' in outcome)) return false
  return Reflect.get(Object(outcome.value), 'more') === false
}

/** Nobody is given what it covers: not what was there before it began, and not what came since. */
function isGone(
  { name, marks, resumed }: RemoveAll,
  before: Live,
  live: Live,
  known: KnownRecords,
): void {
  for (const [id, value] of live) {
    const record = known.of(value)
    // What has moved to other indexes meanwhile may have done so just before.
    const wasThere = areEnding(marks, known.of(before.get(id)), resumed)
    if (areEnding(marks, record, true) || (wasThere && areEnding(marks, record, resumed))) {
      throw new Error(`[gone] ${name} has answered, and ${value} is served`)
    }
  }
}

/** While some of it is gone and some is not, others can read what is left to do. */
function isWrittenDown(
  { progress: { changes } }: Actor,
  { name, order, marks, resumed }: RemoveAll,
  before: Live,
  { live, slots }: Snapshot,
  known: KnownRecords,
): void {
  const note = unfinishedId(order)
  if (resumed || (live.has(note) && slots.some(({ entries }) => entries.get(OWED)?.has(note)))) {
    return
  }
  if (!changes.some(({ id, to }) => to === undefined && !id.startsWith('w.'))) return
  for (const id of before.keys()) {
    const left = live.get(id)
    if (left === undefined || !areEnding(marks, known.of(left), true)) continue
    throw new Error(`[unfinished] ${name} may die now, and nobody would remove ${left}`)
  }
}
