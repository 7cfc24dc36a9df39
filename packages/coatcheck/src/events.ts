import type { AuthErrorCode } from './errors.ts'

/** Why sessions were removed. */
export type SignOutCause =
  /** The user, by the sign-out route. */
  | 'user'
  /** A logout token of the provider. */
  | 'back_channel'
  /** The provider's page, in the browser. */
  | 'front_channel'
  /** `auth.signOut`. */
  | 'administrator'
  /** `auth.signOut`, told by a security event. */
  | 'security_event'
  /** The provider refused the refresh token (`invalid_grant`) or the user's identity changed. */
  | 'provider_refused'
  /** Idle or absolute limit. */
  | 'expired'
  /** The provider could not confirm in time that the session still stands. */
  | 'not_revalidated'
  /** The same browser signed in again. */
  | 'replaced'

/** What a removal was told to remove, without saying who it is. */
export interface Named {
  readonly by: 'session' | 'sid' | 'subject'
  /**
   * The session's handle, or a keyed hash of issuer and `sid` or subject: the same user has the
   * same reference in every receipt of one store, and nobody can tell who it is.
   */
  readonly reference: string
}

/** What one removal did. */
export interface SignOutReceipt {
  /** Names this removal; its revocations refer to it. */
  readonly id: string
  readonly cause: SignOutCause
  readonly named: readonly Named[]
  /** Handles of the sessions whose tokens are gone. */
  readonly sessions: readonly string[]
  /** How many sessions that were. */
  readonly removed: number
  /** What those sessions held. */
  readonly tokens: {
    readonly access: number
    readonly refresh: number
    readonly id: number
  }
  /** Tokens to be revoked at the provider; each ends with a `revocation` event. */
  readonly revocationsOwed: number
  /**
   * Those of the application's places that had to be told, and whether they were when the receipt
   * was written: `owed` is tried again, and ends with a `place` event. `removed` is how many things
   * a place found and removed, where it knows.
   */
  readonly places: readonly {
    readonly name: string
    readonly outcome: 'done' | 'owed'
    readonly removed: number | undefined
  }[]
  /** Whether the browser was sent on to the provider, or the provider's own session remains. */
  readonly providerSession: 'browser_sent' | 'unsupported' | 'ended_by_provider' | 'not_asked'
  /** When it began, in milliseconds since the epoch. */
  readonly at: number
  /** From hearing of it to the durable end. */
  readonly durationMilliseconds: number
}

/** Everything `observe` can hear. None carries a token, a cookie, a secret, a `sub` or a `sid`. */
export type AuthEvent =
  | {
      readonly type: 'signed_in'
      readonly session: string
      readonly issuer: string
      /** The ID token had no `sid`: a sign-out elsewhere ends all of the user's sessions or none. */
      readonly withoutSid: boolean
    }
  /** `reason` is for the operator: what to mend. The browser sees a page chosen by the code. */
  | { readonly type: 'sign_in_failed'; readonly code: AuthErrorCode; readonly reason: string }
  | { readonly type: 'signed_out'; readonly receipt: SignOutReceipt }
  | {
      /** The store failed in the middle: it is tried again until it is done. */
      /** `sign_out_lost`: too many wait already, or `close` came before the store was back. */
      readonly type: 'sign_out_deferred' | 'sign_out_lost'
      readonly cause: SignOutCause
    }
  /** A logout token was refused; `reason` names the rule. */
  | { readonly type: 'logout_refused'; readonly code: AuthErrorCode; readonly reason: string }
  /** A logout token was accepted although it had no `exp`. */
  | { readonly type: 'logout_without_expiry' }
  /** A genuine logout token came too late: this many sessions are asked about before their next token. */
  | { readonly type: 'logout_late'; readonly sessions: number }
  /** A processed logout token came again; nothing happened. */
  | { readonly type: 'logout_repeated' }
  /** A front-channel logout could not be matched with a session. */
  | { readonly type: 'front_channel_unidentified' }
  | { readonly type: 'refreshed'; readonly session: string }
  | {
      readonly type: 'refresh_failed'
      readonly session: string
      readonly code: AuthErrorCode
      readonly reason: string
    }
  /** A refresh ended after its session: what it brought is revoked, not kept. */
  | { readonly type: 'refresh_lost'; readonly session: string; readonly receipt: string }
  | {
      readonly type: 'revocation'
      /** The removal it belongs to. */
      readonly receipt: string
      readonly token: 'access_token' | 'refresh_token'
      /** `failed` is tried again; `abandoned` is the alarm: the retention bound has passed. */
      readonly outcome: 'confirmed' | 'unsupported' | 'failed' | 'abandoned'
      readonly attempts: number
    }
  | {
      /** A place of the application was told of a sign-out. What it said of a failure is not repeated. */
      readonly type: 'place'
      /** The removal it belongs to. */
      readonly receipt: string
      /** Its name. */
      readonly place: string
      /** `failed` is tried again; `abandoned` is the alarm: the retention bound has passed. */
      readonly outcome: 'done' | 'failed' | 'abandoned'
      readonly attempts: number
      /** How many things it found and removed, where it knows. */
      readonly removed: number | undefined
    }
  /** A record could not be opened with any key: it is treated as absent. */
  | { readonly type: 'record_unreadable'; readonly session: string }
  | {
      /**
       * The store could not do this operation; told once, until the operation succeeds again or
       * fails with another `code`. `reason` says what to do where the store knows it
       * (`store_unusable`), else by what constant the driver or the server names it
       * (`ECONNREFUSED`, an SQLSTATE), and never repeats what a driver said.
       */
      readonly type: 'store_failed'
      readonly operation: string
      readonly code: AuthErrorCode
      readonly reason: string
    }
  /** A fault of coatcheck itself in its background work, which goes on. */
  | { readonly type: 'worker_failed'; readonly error: string }
