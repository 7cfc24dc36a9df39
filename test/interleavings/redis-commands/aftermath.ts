import type { WorkAlone } from './alone.ts'
import type { Actor, Checks } from './explore.ts'
import { areEnding, type KnownRecords } from './known-records.ts'
import {
  finish,
  mark,
  owedId,
  type RemoveAll,
  type Replace,
  removeAll,
  replace,
  textOf,
  unfinishedId,
} from './operations.ts'
import type { Progress } from './progress.ts'
import { isMarked } from './refused.ts'
import { isDone } from './removed.ts'
import type { Snapshot } from './snapshots.ts'

/** What others find and can do when all have answered, but for one at most, which has died. */
export function checkAftermath(
  known: KnownRecords,
  indexes: readonly string[],
): Checks['afterwards'] {
  const seen = new Set<string>()
  /** What begins with the same ends the same. */
  function isNew(look: string, snapshot: Snapshot): boolean {
    const size = seen.size
    return seen.add(`${snapshot.butForEnds} ${look}`).size > size
  }

  return ({ snapshot, actors }) => {
    const looks: ((work: WorkAlone) => Promise<void>)[] = []
    for (const actor of actors) {
      const { operation, began, progress } = actor
      isOwed(actor, snapshot)
      if (operation.kind === 'removeAll' && began && !operation.resumed && !isDone(actor)) {
        const look = `${operation.name} ${progress.changes.length} ${began.live.id}`
        if (isNew(look, snapshot)) {
          looks.push((work) => isFinished(operation, progress, began, snapshot, known, work))
        }
      }
      if (operation.kind === 'replace' && progress.outcome === undefined) {
        if (isNew(operation.name, snapshot)) {
          looks.push((work) => isReplaced(operation, snapshot, actors, work))
        }
      }
    }
    if (isNew('all', snapshot)) looks.push((work) => isSignedOut(snapshot, indexes, work))
    return looks
  }
}

/** For whatever is gone, what is owed is there. */
function isOwed({ operation, progress }: Actor, { live }: Snapshot): void {
  if ('entry' in operation) return
  const order = operation.kind === 'removeAll' ? operation.order : operation.name
  for (const { id, from, to } of progress.changes) {
    if (to !== undefined || id.startsWith('w.') || live.has(owedId(order, id))) continue
    throw new Error(`[owed] ${from} is gone, and what is owed for it as well`)
  }
}

/** Others finish a removal that has begun to remove. */
async function isFinished(
  operation: RemoveAll,
  { changes }: Progress,
  began: Snapshot,
  snapshot: Snapshot,
  known: KnownRecords,
  work: WorkAlone,
): Promise<void> {
  const { live } = await work(snapshot, finish('worker', operation))
  if (live.has(unfinishedId(operation.order))) {
    throw new Error(`[unfinished] ${operation.name} died, and is never finished`)
  }
  if (!changes.some(({ id, to }) => to === undefined && !id.startsWith('w.'))) return
  for (const id of began.live.keys()) {
    if (!areEnding(operation.marks, known.of(live.get(id)), true)) continue
    throw new Error(`[unfinished] ${operation.name} died, and nobody removes ${live.get(id)}`)
  }
}

/** What somebody died of who replaced a record, the next one can do. */
async function isReplaced(
  { previous, entry }: Replace,
  snapshot: Snapshot,
  actors: readonly Actor[],
  work: WorkAlone,
): Promise<void> {
  const { id, record } = entry
  if (snapshot.live.get(id) !== previous || isMarked(record, actors)) return
  const before = { id, record: { ...record, value: Buffer.from(previous) } }
  const next = { id, record: { ...record, value: Buffer.from(`${textOf(record)} again`) } }
  const after = await work(snapshot, replace('next', before, next))
  if (after.live.get(id) !== textOf(next.record)) {
    throw new Error(`[refused] whoever replaces ${previous} next is refused`)
  }
  for (const index of record.indexes) await isSignedOut(after, [index], work)
}

/** Somebody who signs out everybody finds everybody. */
async function isSignedOut(
  snapshot: Snapshot,
  indexes: readonly string[],
  work: WorkAlone,
): Promise<void> {
  const marks = indexes.map((index) => mark('here', index))
  const { live } = await work(snapshot, removeAll('last', marks))
  for (const [id, value] of live) {
    if (id.startsWith('w.') || value === 'nobody') continue
    throw new Error(`[found] ${value} is never found again`)
  }
}
