import fc, { type IAsyncProperty, type Scheduler } from 'fast-check'
import { lookAtAftermath } from './aftermath.ts'
import { gather } from './cast.ts'
import { play } from './play.ts'
import { scheduledPoints } from './points.ts'
import { type Scenario, scenarios } from './scenario.ts'
import { startWorld, type WorldOptions } from './world.ts'

/** Where a run happens; what schedules it comes with each run. */
export type Place = Omit<WorldOptions, 'points'>

/** Whatever happens at the same time, in whatever order: every promise holds. */
export function everyPromiseHolds(place: Place): IAsyncProperty<[Scenario, Scheduler]> {
  return fc.asyncProperty(scenarios(), fc.scheduler(), async (scenario, scheduler) => {
    const world = await startWorld({ ...place, points: scheduledPoints(scheduler) })
    try {
      const cast = await gather(world, scenario)
      await play(world, cast, scenario)
      await lookAtAftermath(world, cast, scenario)
    } finally {
      await world.close()
    }
  })
}
