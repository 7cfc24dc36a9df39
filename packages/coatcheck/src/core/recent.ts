import type { Environment } from './environment.ts'

/** What was at hand a moment ago, by name. */
export interface Recent<T> {
  get(name: string): T | undefined
  /** `size`: how much of {@link RecentLimits.most} it takes. */
  set(name: string, value: T, size: number): void
  delete(name: string): void
  clear(): void
}

/** How much is kept. */
export interface RecentLimits {
  /** Of all that is kept, in whatever sizes are given in. */
  readonly most: number
}

/** What is set once is forgotten after one to two of these, in milliseconds. */
const SPAN = 30_000

/**
 * Empty at first. What is kept is in one of two halves, and the older one is forgotten as a whole:
 * after a while, or as soon as the other is full. Asking for it does not keep it there, so nothing
 * stays longer than that, however often it is used.
 */
export function createRecent<T>(
  { wait }: Pick<Environment, 'wait'>,
  { most }: RecentLimits,
): Recent<T> {
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  let sizeOfYoung = 0
  let isWatching = false

  function turn(): void {
    old = young
    young = new Map()
    sizeOfYoung = 0
  }

  async function watch(): Promise<void> {
    while (young.size > 0 || old.size > 0) {
      await wait(SPAN)
      turn()
    }
    isWatching = false
  }

  return {
    get: (name) => young.get(name) ?? old.get(name),

    set(name, value, size) {
      if (sizeOfYoung + size > most / 2) turn()
      old.delete(name)
      young.set(name, value)
      sizeOfYoung += size
      if (isWatching) return
      isWatching = true
      void watch()
    },

    delete(name) {
      young.delete(name)
      old.delete(name)
    },

    clear() {
      turn()
      turn()
    },
  }
}
