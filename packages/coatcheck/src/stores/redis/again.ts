/**
 * Removals of the last while, to be done once more after a failover: a Redis replicates
 * asynchronously, so the new primary may not have heard of them.
 */
export interface Again {
  /** Remembers a removal that was done. It must do no harm where nothing is left of it. */
  remember(removal: () => Promise<unknown>): void
  /** Does them again, as often as it takes. */
  run(): void
  close(): void
}

/** Later than this every replica that can become a primary has it, unless it was cut off. */
const REMEMBERED = 60_000
const MOST = 10_000
const PAUSE = 1_000

/** Nothing remembered yet. */
export function createAgain(): Again {
  const done: { at: number; removal: () => Promise<unknown> }[] = []
  let running = false
  let asked = false
  let closed = false
  let timer: NodeJS.Timeout | undefined

  async function runAll(): Promise<void> {
    timer = undefined
    running = true
    asked = false
    for (const { removal } of [...done]) {
      try {
        await removal()
      } catch {
        // A server is away again, or not ready yet. Whoever asks it meanwhile is told; what is on
        // another goes on.
        asked = true
      }
    }
    running = false
    if (!asked || closed) return
    timer = setTimeout(() => void runAll(), PAUSE)
    timer.unref()
  }

  return {
    remember(removal) {
      const at = performance.now()
      // Those that wait to be done again are as old as the server was away.
      const oldest = running || asked ? 0 : at - REMEMBERED
      while (done.length >= MOST || (done[0]?.at ?? at) < oldest) done.shift()
      done.push({ at, removal })
    },
    run() {
      if (running || timer !== undefined) asked = true
      else void runAll()
    },
    close() {
      closed = true
      clearTimeout(timer)
    },
  }
}
