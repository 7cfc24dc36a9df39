import { alone, type WorkAlone } from './alone.ts'
import type { Command } from './command.ts'
import type { Operation } from './operations.ts'
import { type Break, type Progress, type Steps, takeApart } from './progress.ts'
import type { Slots } from './slots.ts'
import { createSnapshots, type Snapshot } from './snapshots.ts'

/** What somebody finds who looks at everything at one moment. */
export interface Moment {
  readonly snapshot: Snapshot
  readonly actors: readonly Actor[]
}

/** One of those who do something at the same time. */
export interface Actor {
  readonly operation: Operation
  readonly progress: Progress
  /** What was there when its first command was run; `undefined`: it has not begun. */
  readonly began: Snapshot | undefined
  /** A command of its was run, and the answer did not come: its client sends it again. */
  readonly sentAgain: boolean
}

/** What is done at the same time. */
export interface Scenario {
  /** What was done before, one after the other. */
  readonly before: readonly Operation[]
  readonly operations: readonly Operation[]
}

/** What must hold. Each throws where it does not. */
export interface Checks {
  /** Of what the slots hold, whoever does what. */
  snapshot(snapshot: Snapshot): void
  /** Of what an operation did and answered, whatever is there. */
  progress(operation: Operation, progress: Progress): void
  moment(moment: Moment): void
  /** When all are done, or all but one, which has died: what others find who come then. */
  afterwards(moment: Moment): readonly ((work: WorkAlone) => Promise<void>)[]
}

/** How it is gone about. */
export interface Exploring {
  /**
   * Commands that are run as soon as they are sent: nobody who takes part can tell when they were.
   * Default: none.
   */
  readonly atOnce?: (command: Command) => boolean
  /** Whether any one command may be run twice, of which its operation hears the second answer. */
  readonly twice?: boolean
  readonly broken?: Break
}

/** What was looked at. */
export interface Explored {
  readonly moments: number
  /** In how many orders the commands can come. */
  readonly orderings: number
  /** Commands in the longest of them. */
  readonly longest: number
}

/** Whose command was run. */
interface Taken {
  readonly at: number
  readonly command: Command
  /** It was run, and will be once more. */
  readonly lost?: boolean
}

interface Node extends Moment {
  readonly at: number
  /** How many orders lead here. */
  paths: number
}

/**
 * Goes through all orders in which single commands can come, from moment to moment: what can
 * happen at one does not depend on the order that led there, so each is gone on from once. Throws
 * where a promise is broken, with one of the shortest orders that lead there.
 */
export async function explore(
  slots: Slots,
  { before, operations }: Scenario,
  checks: Checks,
  { atOnce = () => false, twice = false, broken }: Exploring = {},
): Promise<Explored> {
  const steps: Steps[] = []
  for (const operation of operations) steps.push(await takeApart(slots, operation, broken))
  const parents: number[] = []
  const taken: (Taken | undefined)[] = []
  const checked = new Set<string>()

  let first = createSnapshots(slots)
  const work = alone(slots)
  for (const operation of before) first = await work(first, operation)

  /** Comes to a moment for the first time. */
  function reach(snapshot: Snapshot, actors: readonly Actor[], from: number, step?: Taken): Node {
    const node = { at: parents.length, snapshot, actors, paths: 0 }
    parents.push(from)
    taken.push(step)
    try {
      once(`${snapshot.id}`, () => checks.snapshot(snapshot))
      for (const { operation, progress } of actors) {
        once(`${operation.name} ${progress.id}`, () => checks.progress(operation, progress))
      }
      checks.moment(node)
    } catch (error) {
      throw explained(node, error)
    }
    return node
  }

  function once(name: string, check: () => void): void {
    if (checked.has(name)) return
    checked.add(name)
    check()
  }

  function explained({ at }: Node, error: unknown): Error {
    const order: string[] = []
    for (let one = at; one > 0; one = parents[one] ?? 0) {
      const step = taken[one]
      if (step === undefined) continue
      const lost = step.lost ? ', whose answer is lost' : ''
      order.unshift(`${operations[step.at]?.name}: ${step.command.label()}${lost}`)
    }
    const message = error instanceof Error ? error.message : String(error)
    return new Error([message, ...order].join('\n  '), { cause: error })
  }

  /** Where a command leads, if all that it does was found out before. */
  function known({ snapshot, actors }: Node, { at, command, lost }: Taken): Moment | undefined {
    const actor = actors[at]
    const step = slots.known(snapshot.of(command.slot), command)
    if (actor === undefined || step === undefined) return undefined
    const next = steps[at]?.known(actor.progress, command, step)
    const progress = lost ? actor.progress : next
    if (progress === undefined) return undefined
    const sentAgain = actor.sentAgain || lost === true
    const moved = { ...actor, progress, began: actor.began ?? snapshot, sentAgain }
    return { snapshot: snapshot.with(step.after), actors: actors.with(at, moved) }
  }

  async function findOut(node: Node, taken: Taken): Promise<Moment> {
    const { at, command } = taken
    const before = node.snapshot.of(command.slot)
    const step = slots.known(before, command) ?? (await slots.run(before, command))
    const actor = node.actors[at]
    if (actor !== undefined) await steps[at]?.advance(actor.progress, command, step)
    const moment = known(node, taken)
    if (moment === undefined) throw new Error('Nobody sent this.')
    return moment
  }

  const begin = steps.map(({ start }, at): Actor => {
    const operation = operations[at]
    if (operation === undefined) throw new Error('Nobody does this.')
    return { operation, progress: start, began: undefined, sentAgain: false }
  })
  const root = reach(first, begin, -1)
  root.paths = 1
  let orderings = 0
  let longest = -1
  for (let layer = [root]; layer.length > 0; longest += 1) {
    const next = new Map<string, Node>()
    for (const node of layer) {
      const waiting = node.actors.flatMap(({ progress }, at) =>
        progress.pending.map((command): Taken => ({ at, command })),
      )
      const now = waiting.find(({ command }) => atOnce(command))
      const mayLose = twice && !now && !node.actors.some(({ sentAgain }) => sentAgain)
      const losing = mayLose ? waiting.map((step) => ({ ...step, lost: true })) : []
      for (const step of now ? [now] : [...waiting, ...losing]) {
        const { snapshot, actors } = known(node, step) ?? (await findOut(node, step))
        const name = `${snapshot.id},${actors.map(nameOf).join()}`
        const reached = next.get(name) ?? reach(snapshot, actors, node.at, step)
        reached.paths += node.paths
        next.set(name, reached)
      }
      if (waiting.length === 0) orderings += node.paths
      if (node.actors.filter(({ progress }) => progress.outcome === undefined).length > 1) continue
      try {
        for (const look of checks.afterwards(node)) await look(work)
      } catch (error) {
        throw explained(node, error)
      }
    }
    layer = [...next.values()]
  }
  return { moments: parents.length, orderings, longest }
}

/** Removals are judged by what was there when they began. */
function nameOf({ operation, progress, began, sentAgain }: Actor): string {
  const isRemoval = operation.kind === 'removeAll' || operation.kind === 'remove'
  const name = isRemoval ? `${progress.id}:${began?.live.id}` : String(progress.id)
  return sentAgain ? `${name}!` : name
}
