import fc, { type IAsyncProperty, type Scheduler } from 'fast-check'
import { lookAtAftermath } from './aftermath.ts'
import { gather } from './cast.ts'
import { play } from './play.ts'
import { type Points, scheduledPoints } from './points.ts'
import { type Scenario, scenarios } from './scenario.ts'
import { startWorld, type WorldOptions } from './world.ts'

/** Where a run happens; what schedules it comes with each run. */
export type Place = Omit<WorldOptions, 'points' | 'inSteps'>

/** Whatever happens at the same time, in whatever order: every promise holds. */
export function everyPromiseHolds(
  place: Place,
  { deaths = false } = {},
): IAsyncProperty<[Scenario, Scheduler]> {
  return fc.asyncProperty(scenarios({ deaths }), fc.scheduler(), (scenario, scheduler) =>
    run(place, scenario, scheduledPoints(scheduler)),
  )
}

/** One scenario in one order. Rejects where a promise was broken. */
export async function run(place: Place, scenario: Scenario, points: Points): Promise<void> {
  const world = await startWorld({ ...place, inSteps: scenario.inSteps, points })
  try {
    const cast = await gather(world, scenario)
    const ended = await play(world, cast, scenario)
    await lookAtAftermath(world, cast, scenario, ended)
  } finally {
    await world.close()
  }
}
