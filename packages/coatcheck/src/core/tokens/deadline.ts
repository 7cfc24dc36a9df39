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
}

/** In a list, so that beginning and ending cost the same however many are under way. */
interface Link extends Wait {
  readonly giveUp: () => void
  before: Link | undefined
  after: Link | undefined
  isOver: boolean
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
  let first: Link | undefined
  let last: Link | undefined
  let ticks = 0
  let isWatching = false

  async function watch(): Promise<void> {
    while (first !== undefined) {
      await wait(limit / most)
      ticks += 1
      // Who began first is first to be given up.
      while (first !== undefined && ticks - first.since >= most) {
        const { giveUp } = first
        leave(first)
        giveUp()
      }
    }
    isWatching = false
  }

  function leave(link: Link): void {
    link.isOver = true
    if (link.before === undefined) first = link.after
    else link.before.after = link.after
    if (link.after === undefined) last = link.before
    else link.after.before = link.before
    // A driver may hold on to a call for ever: that must not hold on to all that came after it.
    link.before = undefined
    link.after = undefined
  }

  return {
    get ticks() {
      return ticks
    },
    begin(giveUp) {
      const link: Link = { since: ticks, giveUp, before: last, after: undefined, isOver: false }
      if (last === undefined) first = link
      else last.after = link
      last = link
      if (!isWatching) {
        isWatching = true
        void watch()
      }
      return link
    },
    end(given) {
      const link = given as Link
      if (link.isOver) return false
      leave(link)
      return true
    },
  }
}
