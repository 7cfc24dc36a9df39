import type { Environment } from '../environment.ts'

/** Ends waiting for what is not answered in time. */
export interface Deadline {
  /** How many ticks have passed: what happened in a later tick happened later. */
  readonly ticks: number
  /** Begins to wait; `giveUp` is called once if {@link Deadline.end} is not called in time. */
  begin(giveUp: () => void): Wait
  /** `true` where the answer came in time, `false` where it was given up before. */
  end(wait: Wait): boolean
}

/** One call that is under way. */
export interface Wait {
  /** The tick it began in. */
  readonly since: number
  readonly giveUp: () => void
}

/** A wait ends between this many ticks and one tick less: never later than the limit. */
const TICKS = 8
const LONGEST_TICK = 1000

/**
 * One watch for all that is under way: it ticks only while something is, so a call costs no timer.
 * It counts ticks and does not compare times. So neither a clock that is set anew nor a process
 * that stood still for a while makes it give up what has been answered and was not read yet.
 */
export function createDeadline({ wait }: Pick<Environment, 'wait'>, limit: number): Deadline {
  const most = Math.max(TICKS, Math.ceil(limit / LONGEST_TICK))
  /** In the order they began, which is the order they end in. */
  const underWay = new Set<Wait>()
  let ticks = 0
  let watching = false

  async function watch(): Promise<void> {
    while (underWay.size > 0) {
      await wait(limit / most)
      ticks += 1
      for (const one of underWay) {
        if (ticks - one.since < most) break
        underWay.delete(one)
        one.giveUp()
      }
    }
    watching = false
  }

  return {
    get ticks() {
      return ticks
    },
    begin(giveUp) {
      const one = { since: ticks, giveUp }
      underWay.add(one)
      if (!watching) {
        watching = true
        void watch()
      }
      return one
    },
    end: (one) => underWay.delete(one),
  }
}
