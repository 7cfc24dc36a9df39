import type { TestProvider } from '#coatcheck/testing/provider/contract'
import type { ProviderRequest } from '#coatcheck/testing/provider/exchange'
import type { Availability } from './availability.ts'
import type { CrewBrowser } from './browsers.ts'
import type { Crew } from './crew.ts'
import type { History, KnownSession } from './history.ts'
import type { Random } from './random.ts'

/** All that takes part: users in front of browsers, a provider, the processes, and who writes it down. */
export interface World {
  readonly provider: TestProvider
  readonly crew: Crew
  readonly history: History
  readonly random: Random
  readonly availability: Availability
  readonly seats: readonly Seat[]
  /** Sign-ins that were begun, and what is known of each. */
  readonly attempts: Attempt[]
  /** Answers by which somebody was served: a user, a token, a sign-out, a sign-in. */
  served: number
  /** Requests that a process answered with an error, or died over. */
  failed: number
  /** Questions that are not answered yet. */
  readonly open: Set<Promise<unknown>>
  /** How many of them want a new token, by the number of the session. */
  readonly refreshing: Map<number, number>
  /** What was done to all of it. */
  readonly faults: Faults
}

/** What was done, as far as it excuses anything. */
export interface Faults {
  /** How often, by kind. */
  readonly count: Map<string, number>
  /** Requests that the provider did as it was asked, and then could not answer. */
  readonly unanswered: Set<ProviderRequest>
  /** When a primary died that its replicas follow asynchronously, in milliseconds since the epoch. */
  readonly primariesLost: number[]
}

/** A browser of a user. */
export interface Seat {
  readonly user: string
  browser: CrewBrowser | undefined
  session: KnownSession | undefined
  /** Nobody ever signs this user out. */
  readonly stays: boolean
  /** It is in the middle of a sign-in or a sign-out. */
  busy: boolean
}

/** A sign-in, from the first request on. */
export interface Attempt {
  readonly user: string
  readonly began: number
  ended: number | undefined
  /** Of the session that the provider opened for it. */
  sid: string | undefined
  code: string | undefined
  /** Who was asked with the code. */
  callback: string | undefined
  succeeded: boolean
  /** What was seen instead. */
  failure: string | undefined
}
