import type { TestContext } from 'node:test'
import type { AuthOptions, Ended, Place } from '#coatcheck'
import { type BlindApplication, startBlind } from './blind.ts'

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

/** What cannot be done now. */
export const refuse = (): Promise<never> => Promise.reject(new Error('No.'))

/** An application with one place. */
export interface Placed extends BlindApplication {
  readonly place: TestPlace
  /** `done 1`: how each attempt ended, and which it was. */
  readonly outcomes: () => string[]
  /** How long a sign-out of this subject took to be answered, and what its receipt says of the place. */
  readonly signOut: (subject: string) => Promise<{ took: number; outcome: string | undefined }>
}

/** Starts one that ends with its test. */
export async function startPlaced(
  t: TestContext,
  options: Partial<AuthOptions> = {},
): Promise<Placed> {
  const place = testPlace()
  const app = await startBlind(t, { places: [place], ...options })
  t.after(() => {
    place.behave = async () => 1
  })
  return {
    ...app,
    place,
    outcomes: () => app.heard('place').map(({ outcome, attempts }) => `${outcome} ${attempts}`),
    async signOut(subject) {
      const from = app.clock.now()
      const { places } = await app.end(app.auth.signOut({ subject }))
      return { took: app.clock.now() - from, outcome: places[0]?.outcome }
    },
  }
}
