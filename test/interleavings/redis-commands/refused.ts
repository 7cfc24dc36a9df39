import { isRefused } from '#coatcheck/core/tokens/marks'
import type { StoredRecord } from '#coatcheck/core/tokens/store'
import type { Actor, Moment } from './explore.ts'
import { NOW } from './gate.ts'

/** Nobody is refused who stands in nobody's way and whom no sign-out covers. */
export function checkRefused({ operation, progress, began }: Actor, moment: Moment): void {
  const { outcome } = progress
  if (outcome === undefined || began === undefined || !('value' in outcome)) return
  const { actors, snapshot } = moment
  if (operation.kind === 'insert' && outcome.value === false) {
    const { id, record } = operation.entry
    if (began.live.has(id) || isTaken(operation.name, id, actors)) return
    if (isMarked(record, actors)) return
    throw new Error(`[refused] ${operation.name} was refused, and nobody had signed out`)
  }
  if (operation.kind === 'replace' && outcome.value === false) {
    const { id, record } = operation.entry
    if (began.live.get(id) !== operation.previous) return
    if (snapshot.live.get(id) !== operation.previous || isMarked(record, actors)) return
    throw new Error(`[refused] ${operation.name} was refused, and nothing had changed`)
  }
  if (operation.kind === 'remove' && outcome.value === undefined) {
    if (!began.live.has(operation.id) || !snapshot.live.has(operation.id)) return
    throw new Error(`[refused] ${operation.name} found nothing, and it was there all along`)
  }
}

/** Two who insert one id at the same time may refuse each other: ids are random. */
function isTaken(name: string, id: string, actors: readonly Actor[]): boolean {
  return actors.some(
    ({ operation, began }) =>
      (operation.kind === 'insert' || operation.kind === 'takeBack') &&
      operation.name !== name &&
      operation.entry.id === id &&
      began !== undefined,
  )
}

/** Whether a removal that has begun leaves a mark that covers the record. */
export function isMarked(record: StoredRecord, actors: readonly Actor[]): boolean {
  const marks = actors.flatMap(({ operation, began }) =>
    operation.kind === 'removeAll' && began !== undefined ? operation.marks : [],
  )
  return marks.some(({ index, mark }) =>
    isRefused(record, NOW, (clock, on) =>
      on === index && clock === mark.clock ? mark : undefined,
    ),
  )
}
