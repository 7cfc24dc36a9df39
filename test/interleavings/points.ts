import { createHash } from 'node:crypto'
import type { Scheduler } from 'fast-check'

/**
 * Where an operation waits until the schedule lets it go on. Between two points a process runs
 * without interruption, as JavaScript does; at a point anything else may happen first.
 */
export interface Points {
  /** How many operations wait. */
  readonly pending: number
  /** What went on, in its order. */
  readonly trace: readonly string[]
  /** Waits for its turn. */
  reach(label: string): Promise<void>
  /** Lets one of those that wait go on. */
  release(): Promise<void>
}

/** fast-check's scheduler decides. */
export function scheduledPoints(scheduler: Scheduler): Points {
  const trace: string[] = []
  return {
    get pending() {
      return scheduler.count()
    },
    trace,
    reach: (label) =>
      scheduler.schedule(Promise.resolve(), label).then(() => void trace.push(label)),
    release: () => scheduler.waitOne(),
  }
}

/** Who comes first, until somebody is held up. */
export interface Priorities {
  /** Settles who is before whom. */
  readonly salt: number
  /** At these steps whoever would go on waits for all others instead. */
  readonly holdUps: readonly number[]
}

/**
 * One actor runs as far as it can, then the next, but for a few hold-ups. Where a fault needs one
 * actor to wait for long in just the right place, an even choice at each step hardly ever finds it,
 * and this does (Burckhardt and others, A Randomized Scheduler with Probabilistic Guarantees of
 * Finding Bugs, 2010).
 */
export function priorityPoints({ salt, holdUps }: Priorities): Points {
  const ranks = new Map<string, number>()
  let lowest = 0
  let steps = 0

  function rankOf(label: string): number {
    const actor = label.slice(0, label.indexOf(':'))
    const known = ranks.get(actor)
    if (known !== undefined) return known
    const rank = createHash('sha256').update(`${salt} ${actor}`).digest().readUInt32BE()
    ranks.set(actor, rank)
    return rank
  }

  function first(labels: readonly string[]): number {
    let found = 0
    labels.forEach((label, at) => {
      if (rankOf(label) > rankOf(labels[found] ?? '')) found = at
    })
    return found
  }

  return chosenPoints((labels) => {
    steps += 1
    if (holdUps.includes(steps)) {
      const label = labels[first(labels)] ?? ''
      lowest -= 1
      ranks.set(label.slice(0, label.indexOf(':')), lowest)
    }
    return first(labels)
  })
}

/** Whoever calls decides which of those that wait goes on. */
export function chosenPoints(choose: (waiting: readonly string[]) => number): Points {
  const waiting: { label: string; go: () => void }[] = []
  const trace: string[] = []
  return {
    get pending() {
      return waiting.length
    },
    trace,
    reach: (label) => new Promise((go) => waiting.push({ label, go })),
    async release() {
      const [next] = waiting.splice(choose(waiting.map(({ label }) => label)), 1)
      if (next === undefined) return
      trace.push(next.label)
      next.go()
    },
  }
}
