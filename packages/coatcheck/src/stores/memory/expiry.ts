/** Names in the order of their end, so that finding the expired ones looks at nothing else. */
export interface ExpiryOrder {
  add(at: number, name: string): void
  drop(at: number, name: string): void
  /** Those that end at or before this time, and some that end shortly after it; the first first. */
  upTo(at: number): Iterable<string>
}

/** Ends within these many milliseconds of each other are kept together, in no order. */
const SPAN = 10_000

/** An empty order. */
export function createExpiryOrder(): ExpiryOrder {
  const spans = new Map<number, Set<string>>()

  return {
    add(at, name) {
      const span = Math.floor(at / SPAN)
      const names = spans.get(span)
      if (names === undefined) spans.set(span, new Set([name]))
      else names.add(name)
    },

    drop(at, name) {
      const span = Math.floor(at / SPAN)
      const names = spans.get(span)
      names?.delete(name)
      if (names?.size === 0) spans.delete(span)
    },

    *upTo(at) {
      const last = Math.floor(at / SPAN)
      // As many spans as the longest life has, however many names there are.
      const due = [...spans.keys()].filter((span) => span <= last).sort((a, b) => a - b)
      for (const span of due) yield* [...(spans.get(span) ?? [])]
    },
  }
}
