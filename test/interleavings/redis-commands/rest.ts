import type { Actor, Moment } from './explore.ts'

/** Once all have answered nothing is half done. An entry whose record is gone does no harm. */
export function checkRest({ snapshot: { slots }, actors }: Moment): void {
  if (actors.some(({ progress }) => progress.outcome === undefined)) return
  const records = new Map(slots.flatMap((slot) => [...slot.records]))
  for (const [id, { isLive }] of records) {
    if (!isLive) throw new Error(`[rest] ${id} is still being inserted, by nobody`)
  }
  for (const [index, ids] of slots.flatMap(({ entries }) => [...entries])) {
    for (const id of ids) {
      if (records.get(id)?.indexes.includes(index) !== false) continue
      // Whoever lost against somebody else may have entered it too late to take it out again.
      if (actors.some((actor) => wasRefused(actor, id))) continue
      throw new Error(`[rest] ${id} is entered under ${index} and is not under it`)
    }
  }
}

function wasRefused({ operation, progress: { outcome } }: Actor, id: string): boolean {
  if (operation.kind !== 'replace' && operation.kind !== 'insert') return false
  if (operation.entry.id !== id) return false
  return outcome !== undefined && 'value' in outcome && outcome.value === false
}
