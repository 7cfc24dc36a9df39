import type { Ended, Place } from '#coatcheck'

/** A place that remembers what it was told, and does with it what the test says. */
export interface TestPlace extends Place {
  readonly told: Ended[]
  /** Signals it was given, each with what it was told in the same position. */
  readonly signals: AbortSignal[]
  behave: Place['end']
}

/** A place that finds and removes one thing each time. */
export function testPlace(name = 'other-cache'): TestPlace {
  const told: Ended[] = []
  const signals: AbortSignal[] = []
  const place: TestPlace = {
    name,
    told,
    signals,
    behave: async () => 1,
    end(ended, signal) {
      told.push(ended)
      signals.push(signal)
      return place.behave(ended, signal)
    },
  }
  return place
}

/** What never comes back. */
export function forever(): Promise<never> {
  return new Promise(() => {
    // As a server behind a firewall that drops packets.
  })
}
