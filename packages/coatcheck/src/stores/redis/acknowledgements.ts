import type { Primary, Waited } from './driver.ts'

/**
 * Asks primaries whether replicas have what was written. WAIT blocks the connection that all other
 * commands of the process go through; so one WAIT at a time answers everybody who asked before it
 * was sent, each blocks for milliseconds only, and after one in vain there is a pause as long.
 */
export function acknowledgements(): (
  primary: Primary,
  replicas: number,
  deadline: number,
) => Promise<Waited> {
  const rounds = new WeakMap<Primary, Rounds>()
  return async (primary, replicas, deadline) => {
    const ask = rounds.get(primary) ?? toRounds(primary)
    rounds.set(primary, ask)
    const timer = after(deadline)
    try {
      for (let blocking = SHORTEST; ; blocking = Math.min(2 * blocking, LONGEST)) {
        const waited = await Promise.race([ask(replicas, blocking), timer.passed])
        if (waited === undefined) break
        if (waited.replicas >= replicas) return waited
      }
    } finally {
      timer.clear()
    }
    throw new Error(`Fewer than ${replicas} Redis replicas have confirmed within ${deadline} ms.`)
  }
}

/** Milliseconds that a WAIT may block its connection, at first and at most. */
const SHORTEST = 5
const LONGEST = 80

type Rounds = (replicas: number, blocking: number) => Promise<Waited>

function toRounds(primary: Primary): Rounds {
  let last: Promise<unknown> = Promise.resolve()
  let next: { replicas: number; blocking: number; waited: Promise<Waited> } | undefined
  return (replicas, blocking) => {
    if (next) {
      next.replicas = Math.max(next.replicas, replicas)
      next.blocking = Math.max(next.blocking, blocking)
      return next.waited
    }
    const round = { replicas, blocking, waited: last.then(run) }
    async function run(): Promise<Waited> {
      next = undefined
      return primary.wait(round.replicas, round.blocking)
    }
    next = round
    last = round.waited.then(
      (waited) => (waited.replicas < round.replicas ? after(round.blocking).passed : undefined),
      // Whoever asked hears of it; the next round tries for itself.
      () => undefined,
    )
    return round.waited
  }
}

function after(milliseconds: number): { passed: Promise<undefined>; clear(): void } {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds)
  })
  return { passed, clear: () => clearTimeout(timer) }
}
