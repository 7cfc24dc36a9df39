import type { Parts } from './insert.ts'
import { isUnder } from './record.ts'

/** Takes entries out of indexes whose record is gone: whoever died or lost a race left them. */
export interface Dangling {
  /** These were found under an index, and their records were not there. */
  saw(index: string, ids: readonly string[]): Promise<void>
}

/** Whoever announced a record and lives has long written it by then, in milliseconds. */
const SURE_AFTER = 600_000
/** So many are waited for at once; the others are seen again. */
const MOST = 10_000

/** Nothing seen yet. */
export function createDangling({ indexes, records }: Parts, now: () => number): Dangling {
  const seen = new Map<string, number>()

  async function prune(index: string, id: string): Promise<void> {
    await indexes.drop(index, [id])
    // It may have come in this very moment.
    const held = await records.read(id)
    if (held !== undefined && isUnder(index, held)) await indexes.add(index, [id], held.expiresAt)
  }

  return {
    async saw(index, ids) {
      const sure = ids.filter((id) => {
        const first = seen.get(`${index} ${id}`)
        if (first === undefined && seen.size < MOST) seen.set(`${index} ${id}`, now())
        return first !== undefined && now() - first > SURE_AFTER
      })
      await Promise.all(sure.map((id) => prune(index, id)))
      for (const id of sure) seen.delete(`${index} ${id}`)
    },
  }
}
