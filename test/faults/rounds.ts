import { until } from '../servers/until.ts'
import type { KnownSession } from './history.ts'
import { type Excuses, judgeLosses, judgeRotations } from './judge.ts'
import { startLoad, withPatience } from './load.ts'
import { type Look, look } from './looks.ts'
import type { World } from './world.ts'

/** Something that may befall the application while it is used. */
export interface Fault {
  readonly kind: string
  /** Lets it happen. Resolves with what puts all in order again. */
  befall(): Promise<() => Promise<void>>
}

/** What was seen in all rounds so far. */
export interface Rounds {
  readonly count: number
  readonly excuses: Excuses
  /** How many refresh tokens that came twice were looked at. */
  readonly reused: { count: number }
  /** Load, a fault in the middle of it, load again; then everybody is looked at. */
  play(fault: Fault): Promise<void>
}

/** Acts before, during, and after a fault. */
const ACTS = { before: 60, during: 160, after: 80 }

/** No round was played. */
export function createRounds(world: World): Rounds {
  const excuses: Excuses = new Map()
  const reused = { count: 0 }
  let count = 0
  return {
    excuses,
    reused,
    get count() {
      return count
    },
    async play(fault) {
      const { faults, availability } = world
      const from = world.history.sessions.length
      const load = startLoad(world)
      await load.more(ACTS.before)
      faults.count.set(fault.kind, (faults.count.get(fault.kind) ?? 0) + 1)
      const mend = await fault.befall()
      availability.fault(fault.kind)
      await load.more(ACTS.during)
      await mend()
      await load.more(ACTS.after)
      await load.stop()
      count += 1
      await lookAtAll(world, from)
      availability.over()
      judgeRotations(world, reused)
      judgeLosses(world, excuses)
    },
  }
}

/**
 * Everybody is looked at until a process can say: who was not signed out must be served, and who
 * was must not, by two of the processes, nor get a token.
 */
export async function lookAtAll(
  world: World,
  from: number,
  what: readonly Look[] = ['session'],
): Promise<void> {
  const { sessions } = world.history
  const alive = sessions.filter(({ over }) => over === undefined)
  const over = sessions.slice(Math.max(0, from - 30)).filter((session) => session.over)
  const refused = sessions.filter(({ number }) => world.availability.refused.has(number))
  const jobs = what.flatMap((each) =>
    [...alive, ...refused].map((session) => () => untilKnown(world, session, each)),
  )
  const looks = over.flatMap((session) => [
    () => withPatience(world, look(world, session, 'session')),
    () => withPatience(world, look(world, session, 'accessToken')),
  ])
  await inLanes([...jobs, ...looks], 8)
}

async function untilKnown(world: World, session: KnownSession, what: Look): Promise<void> {
  const question = `somebody answers ${what} of session ${session.number}`
  await until(question, () => look(world, session, what), 60_000)
}

async function inLanes(jobs: (() => Promise<unknown>)[], lanes: number): Promise<void> {
  const lane = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job()
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
