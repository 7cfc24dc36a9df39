import type { TestProcess } from './process.ts'
import type { World } from './world.ts'

/** Something that somebody does while others do something else. */
export interface Actor<Outcome> {
  readonly name: string
  readonly process: TestProcess
  readonly work: () => Promise<Outcome>
}

/** Runs actors, step by step, in the order that the schedule decides. */
export interface Exploration {
  /** Starts an actor; when its first step comes is up to the schedule. `undefined`: its process died. */
  start<Outcome>(actor: Actor<Outcome>): Promise<Outcome | undefined>
  /** Resolves when all is done. Rejects when it goes on for too long. */
  run(): Promise<void>
}

/** More steps no run takes unless it goes round in circles. */
const MOST_STEPS = 5_000
/** Nobody waits for longer: a claim's end, a request's limit. */
const LONGEST_MILLISECONDS = 120_000

/** The schedule decides until it is done. */
export function startExploration(world: World): Exploration {
  const { points, sleepers } = world
  const running = new Map<object, Actor<unknown>>()
  const began = sleepers.now()

  async function run(): Promise<void> {
    world.explore()
    for (let steps = 0; steps < MOST_STEPS; steps += 1) {
      await world.settled()
      if (points.pending > 0) {
        await points.release()
        continue
      }
      const waiting = [...running.values()].filter(({ process }) => process.alive)
      if (waiting.length === 0) return world.calm()
      const next = sleepers.next
      if (next === undefined || next - began > LONGEST_MILLISECONDS) {
        throw new Error(`[ends] never: ${waiting.map(({ name }) => name).join(', ')}`)
      }
      sleepers.forwardTo(next)
    }
    throw new Error('[ends] too many steps')
  }

  return {
    start<Outcome>(actor: Actor<Outcome>): Promise<Outcome | undefined> {
      const { process, name, work } = actor
      running.set(actor, actor)
      const outcome = process.as(name, async () => {
        await process.point('begins')
        return work()
      })
      const done = (): void => void running.delete(actor)
      outcome.then(done, done)
      return outcome
    },
    run,
  }
}

/** Lets time pass while everything goes on at once: what is owed is done. */
export async function letPass(world: World, milliseconds: number): Promise<void> {
  const { sleepers } = world
  const until = sleepers.now() + milliseconds
  world.freeWorkers()
  for (;;) {
    await world.settled()
    const next = sleepers.next
    if (next === undefined || next > until) break
    sleepers.forwardTo(next)
  }
  sleepers.forwardTo(until)
  await world.settled()
}
