import fc, { type Arbitrary, type IAsyncProperty, type Scheduler } from 'fast-check'
import { comeBackSoon, lookAtAftermath } from './aftermath.ts'
import { gather } from './cast.ts'
import { play } from './play.ts'
import { type Points, type Priorities, priorityPoints, scheduledPoints } from './points.ts'
import { type Scenario, scenarios } from './scenario.ts'
import { startWorld, type WorldOptions } from './world.ts'

/** Where a run happens; what schedules it comes with each run. */
export type Place = Omit<WorldOptions, 'points' | 'inSteps'>

/** Who goes on at each step: fast-check's even choice, or a few long delays. */
export type Schedule = Scheduler | Priorities

/** Whatever happens at the same time, in whatever order: every promise holds. */
export function everyPromiseHolds(
  place: Place,
  { deaths = false } = {},
): IAsyncProperty<[Scenario, Schedule]> {
  return fc.asyncProperty(scenarios({ deaths }), schedules, (scenario, schedule) =>
    run(place, scenario, 'salt' in schedule ? priorityPoints(schedule) : scheduledPoints(schedule)),
  )
}

/**
 * One scenario in one order. Rejects where a promise was broken. With `returns` the user signs in
 * again at once when all has happened, and must stay.
 */
export async function run(
  place: Place,
  scenario: Scenario,
  points: Points,
  { returns = false } = {},
): Promise<void> {
  const world = await startWorld({ ...place, inSteps: scenario.inSteps, points })
  try {
    const cast = await gather(world, scenario)
    const ended = await play(world, cast, scenario)
    const returned = returns ? await comeBackSoon(world, scenario) : undefined
    await lookAtAftermath(world, cast, scenario, ended, returned)
  } catch (error) {
    const order = points.trace.map((label) => `\n  -> ${label}`).join('')
    throw new Error(`${error instanceof Error ? error.message : error}${order}`, { cause: error })
  } finally {
    await world.close()
  }
}

const schedules: Arbitrary<Schedule> = fc.oneof(
  fc.scheduler(),
  fc.record({
    salt: fc.nat(),
    holdUps: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 4 }),
  }),
)
