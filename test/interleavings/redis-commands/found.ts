import type { KnownRecords } from './known-records.ts'
import { textOf } from './operations.ts'
import type { Contents } from './slots.ts'
import type { Snapshot } from './snapshots.ts'

/** Whoever reads an index finds each record that lives and is under it, for as long as it lives. */
export function checkFound({ slots }: Snapshot, known: KnownRecords): void {
  for (const slot of slots) {
    for (const [id, { isLive, indexes, value }] of slot.records) {
      // That a removal is unfinished has to be found only while it is: removed.ts.
      if (!isLive || /^w\.[^/]*$/.test(id)) continue
      const text = textOf({ value })
      for (const index of known.of(text)?.indexes ?? []) {
        const under = slots.find(({ entries }) => entries.get(index)?.has(id))
        if (under === undefined || !indexes.includes(index)) {
          throw new Error(`[found] ${text} lives and is not found under ${index}`)
        }
        if (endOf(under, `i:${index}`) < endOf(slot, `r:${id}`)) {
          throw new Error(`[found] ${index} ends before ${text}`)
        }
      }
    }
  }
}

function endOf({ dumps }: Contents, name: string): number {
  for (const [key, { keptUntil }] of dumps) {
    if (key.replace(/[{}]/g, '').endsWith(`:${name}`)) return keptUntil
  }
  throw new Error(`There is no ${name}.`)
}
