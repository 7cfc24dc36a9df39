/**
 * Tells when nothing happens any more: what runs outside of JavaScript (WebCrypto, LMDB's writer)
 * has answered, and so has everything that only waited for promises. Only then the schedule picks
 * the next step, so that the same picks always lead to the same run.
 */
export interface Quiet {
  /** Counts work that is done elsewhere. */
  during<T>(work: () => T | Promise<T>): Promise<T>
  settled(): Promise<void>
}

/** Web streams and `fetch` bodies take a turn of the event loop now and then. */
const TURNS = 3

/** Watches this test process, WebCrypto included. */
export function createQuiet(): Quiet {
  let busy = 0

  async function during<T>(work: () => T | Promise<T>): Promise<T> {
    busy += 1
    try {
      return await work()
    } finally {
      busy -= 1
    }
  }

  watch(during)
  return {
    during,
    async settled() {
      for (let turns = 0; turns < TURNS; turns += 1) {
        await new Promise((resolve) => setImmediate(resolve))
        if (busy > 0) turns = -1
      }
    },
  }
}

const METHODS = ['sign', 'verify', 'digest', 'importKey', 'encrypt', 'decrypt'] as const

function watch(during: Quiet['during']): void {
  const subtle = crypto.subtle as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of METHODS) {
    const work = subtle[name]?.bind(crypto.subtle)
    if (work === undefined) throw new Error(`crypto.subtle has no ${name}.`)
    Object.defineProperty(subtle, name, {
      configurable: true,
      value: (...args: unknown[]) => during(() => work(...args)),
    })
  }
}
