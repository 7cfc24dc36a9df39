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

/** Whoever calls decides: answers which of so many goes on. */
export function chosenPoints(choose: (pending: number) => number): Points {
  const waiting: { label: string; go: () => void }[] = []
  const trace: string[] = []
  return {
    get pending() {
      return waiting.length
    },
    trace,
    reach: (label) => new Promise((go) => waiting.push({ label, go })),
    async release() {
      const [next] = waiting.splice(choose(waiting.length), 1)
      if (next === undefined) return
      trace.push(next.label)
      next.go()
    },
  }
}
