import type { SignOutCause } from './events.ts'

/**
 * Somewhere besides the store that keeps something of a session: another library's token cache, an
 * application with sessions of its own. A sign-out reaches it too, from the same durable queue as
 * the revocations.
 */
export interface Place {
  /**
   * Its name in receipts, in events and in what is owed: lower-case letters, digits and hyphens.
   * Stays the same from one release to the next, and no two places of an application share one.
   */
  readonly name: string
  /**
   * Ends what is there. Called before the sign-out is answered, and where it does not resolve within
   * three seconds, again, in any process, for a day: it must do no harm the second time, nor
   * end what began after {@link Ended.at}. Rejects where it could not; nobody hears why. The signal
   * fires when nobody waits any longer. Resolves with how many things it found there and removed,
   * where it can know.
   */
  end(ended: Ended, signal: AbortSignal): Promise<number | undefined>
}

/** What a place has to end. */
export interface Ended {
  /** Names the removal, as its receipt does: the same at every attempt. */
  readonly receipt: string
  readonly cause: SignOutCause
  /** When the sign-out was heard, in milliseconds since the epoch. */
  readonly at: number
  /**
   * What was named, where it was the provider's session or the user: the store may have held nothing
   * of it. Nobody signed what a front-channel sign-out names.
   */
  readonly named: readonly EndedName[]
  /**
   * The sessions whose records were removed; of a large sign-out some, the others come in another
   * call. Their users may have others, which go on.
   */
  readonly sessions: readonly EndedSession[]
}

/** A name under which somebody was signed out: with a `sid` that session of the provider, else all of the user's. */
export type EndedName =
  | { readonly issuer: string; readonly sid: string; readonly subject?: string }
  | { readonly issuer: string; readonly subject: string; readonly sid?: undefined }

/** A session that is over. */
export interface EndedSession {
  readonly handle: string
  readonly issuer: string
  readonly subject: string
  readonly sid: string | undefined
  /** Claims of its ID token, and of UserInfo where it was asked. */
  readonly claims: Readonly<Record<string, unknown>>
}
