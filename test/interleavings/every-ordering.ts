import { chosenPoints, type Points } from './points.ts'

/**
 * Runs once for each order in which the steps can come, and resolves with how many there are. A run
 * that rejects ends it, with the order in the message. The same picks must lead to the same run.
 */
export async function everyOrdering(run: (points: Points) => Promise<void>): Promise<number> {
  /** The picks that this run repeats, and how many there were to choose from at each. */
  let picks: { pick: number; of: number }[] = []
  for (let orderings = 1; ; orderings += 1) {
    let step = 0
    const points = chosenPoints(({ length: of }) => {
      const known = picks[step]
      if (known !== undefined && known.of !== of) throw new Error('The run cannot be repeated.')
      if (known === undefined) picks.push({ pick: 0, of })
      step += 1
      return known?.pick ?? 0
    })
    try {
      await run(points)
    } catch (error) {
      throw new Error(`Ordering ${orderings}: ${String(error)}`, { cause: error })
    }
    // The last pick that can be another is the next one; what came after it is forgotten.
    picks = picks.slice(0, picks.findLastIndex(({ pick, of }) => pick + 1 < of) + 1)
    const last = picks.at(-1)
    if (last === undefined) return orderings
    last.pick += 1
  }
}
