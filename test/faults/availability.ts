/** How long a store was out of reach for somebody, told by what was asked and answered. */
export interface Availability {
  /** Something befalls the store now. */
  fault(kind: string): void
  /** All is in order again, and everybody was asked. */
  over(): void
  /** A request of this session, asked at that time, was answered as it should be. */
  served(session: number, askedMilliseconds: number): void
  /** It was answered with an error, or not at all. */
  failed(session: number, askedMilliseconds: number): void
  /** The sessions that were refused since the last fault, and not served since. */
  readonly refused: ReadonlySet<number>
  /** Of all faults of a kind, the longest, in milliseconds. */
  readonly longest: ReadonlyMap<string, Outage>
}

/** How long a fault lasted, as users see it. */
export interface Outage {
  readonly times: number
  /** Until the first request that was asked later was served. */
  readonly first: number
  /** Until the last request was refused. */
  readonly last: number
}

/** Nothing has befallen anybody. */
export function createAvailability(): Availability {
  const longest = new Map<string, Outage>()
  const refused = new Set<number>()
  let current: { readonly kind: string; readonly at: number; isServed: boolean } | undefined

  return {
    longest,
    refused,
    fault(kind) {
      current = { kind, at: Date.now(), isServed: false }
      const { times = 0, first = 0, last = 0 } = longest.get(kind) ?? {}
      longest.set(kind, { times: times + 1, first, last })
    },
    over() {
      current = undefined
      refused.clear()
    },
    served(session, asked) {
      if (current === undefined || asked < current.at) return
      const passed = Date.now() - current.at
      const known = longest.get(current.kind)
      if (known === undefined) return
      const first = current.isServed ? known.first : Math.max(known.first, passed)
      current.isServed = true
      refused.delete(session)
      longest.set(current.kind, { ...known, first })
    },
    failed(session, asked) {
      const known = longest.get(current?.kind ?? '')
      if (current === undefined || known === undefined || asked < current.at) return
      refused.add(session)
      const last = Math.max(known.last, Date.now() - current.at)
      longest.set(current.kind, { ...known, last })
    },
  }
}
