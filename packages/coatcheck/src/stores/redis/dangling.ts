import type { Parts } from './insert.ts'
import { isUnder } from './record.ts'

/** Takes entries out of indexes whose record is gone: whoever died or lost a race left them. */
export interface Dangling {
  /** These were found under an index, and their records were not there. */
  saw(index: string, ids: readonly string[]): Promise<void>
}

/** Whoever announced a record and lives has long written it by then, in milliseconds. */
const SURE_AFTER = 600_000
/** So many are waited for at once; the others are seen again when some are forgotten. */
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

  /** Most were announced and then written, and are never seen again: they must not take all room. */
  function makeRoom(): void {
    for (const [name, first] of seen) {
      if (seen.size < MOST || now() - first <= SURE_AFTER) return
      seen.delete(name)
    }
  }

  return {
    async saw(index, ids) {
      const sure = ids.filter((id) => {
        const name = `${index} ${id}`
        const first = seen.get(name)
        if (first !== undefined) return now() - first > SURE_AFTER
        makeRoom()
        if (seen.size < MOST) seen.set(name, now())
        return false
      })
      await Promise.all(sure.map((id) => prune(index, id)))
      for (const id of sure) seen.delete(`${index} ${id}`)
    },
  }
}
