import { type Load, type Run, runLoad, type Target } from '../load.ts'

/**
 * Puts all targets under load at once, so that at every moment whatever else the machine does falls
 * on all of them alike: where it is busy, CPU time per request can be compared so, and by turns
 * not. It is more than by turns, since they take the caches from each other. The first round warms
 * up and does not count.
 */
export async function together(
  targets: Readonly<Record<string, Target>>,
  rounds: number,
  load: Load,
): Promise<Record<string, Run[]>> {
  const runs: Record<string, Run[]> = Object.fromEntries(Object.keys(targets).map((n) => [n, []]))
  for (let round = 0; round <= rounds; round++) {
    const ran = Object.entries(targets).map(async ([name, target]) => {
      const run = await runLoad(target, load)
      if (round > 0) runs[name]?.push(run)
    })
    await Promise.all(ran)
  }
  return runs
}
