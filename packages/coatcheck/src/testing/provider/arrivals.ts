/** Things that arrive one after another, and a way to wait for the n-th of them. */
export interface Arrivals<Item> {
  /** In the order of arrival. */
  readonly all: Item[]
  add(item: Item): void
  /** Resolves with the n-th that matches, counted from 1, at once where it is already there. */
  nth(position: number, what: string, matches?: (item: Item) => boolean): Promise<Item>
}

/** After this long a wait is a mistake of the test, which should say so instead of hanging. */
const patienceMilliseconds = 20_000

/** An empty list of arrivals. */
export function createArrivals<Item>(): Arrivals<Item> {
  const all: Item[] = []
  const waiting = new Set<() => void>()

  return {
    all,
    add: (item) => {
      all.push(item)
      for (const look of [...waiting]) look()
    },
    nth: (position, what, matches = () => true) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = all.filter(matches)[position - 1]
          if (found === undefined) return
          clearTimeout(alarm)
          waiting.delete(look)
          resolve(found)
        }
        const alarm = setTimeout(() => {
          waiting.delete(look)
          const count = all.filter(matches).length
          reject(new Error(`Waited for ${what} number ${position}; ${count} came.`))
        }, patienceMilliseconds)
        waiting.add(look)
        look()
      }),
  }
}
