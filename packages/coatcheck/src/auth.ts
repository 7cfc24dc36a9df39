import type { SignOutCause, SignOutReceipt } from './events.ts'

/** Anything that has request headers: a `Request`, or what Node and the frameworks hand out. */
export interface HasHeaders {
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
}

/** Who is signed in. */
export interface Session {
  readonly issuer: string
  readonly subject: string
  /** The provider's name for its own session. */
  readonly sid?: string
  /** Claims of the ID token, and of UserInfo where it was asked. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly establishedAt: number
  /** Milliseconds since the epoch: the nearer of the idle and the absolute limit. */
  readonly expiresAt: number
  /** Names this session in lists, receipts and `signOut`; it is not the cookie. */
  readonly handle: string
}

/** A session as its user or an administrator sees it in a list. */
export type SessionSummary = Omit<Session, 'claims'>

/** Which access token is wanted. */
export interface AccessTokenOptions {
  /** The API it is for (RFC 8707): an absolute URI without fragment. */
  readonly resource?: string
  /** Space-separated; narrower than or equal to what was granted at sign-in. */
  readonly scope?: string
  /** It must stay valid for at least this long. Default 10. */
  readonly minValiditySeconds?: number
  /** Refresh even where a valid one is at hand. */
  readonly forceRefresh?: boolean
}

/** A token to call an API with. Printing one shows `[redacted]`. */
export interface AccessToken {
  /** What goes into `Authorization: Bearer …`. */
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** What was granted, where the provider said it. */
  readonly scope: string | undefined
  readonly tokenType: string
}

/** Options of `auth.fetch`: those of `fetch`, and which token to attach. */
export type AuthFetchInit = RequestInit & Pick<AccessTokenOptions, 'resource' | 'scope'>

/** What to sign out: one session, a session of the provider, or everything of a user. */
export type SignOutSelector =
  | { readonly session: Session | string }
  | { readonly issuer?: string; readonly sid: string }
  | { readonly issuer?: string; readonly subject: string }

/** One line of {@link Auth.coverage}: who can end a session, and how we hear of it. */
export interface CoverageLine {
  readonly who:
    | 'user_here'
    | 'user_at_another_application'
    | 'user_at_the_provider'
    | 'administrator_here'
    | 'administrator_at_the_provider'
    | 'account_disabled'
  readonly heardBy: readonly (
    | 'at_once'
    | 'back_channel'
    | 'front_channel'
    | 'refresh'
    | 'revalidation'
  )[]
  /** At most so many seconds later; `undefined` when only the session's end limits it. */
  readonly withinSeconds: number | undefined
  /** Channels by which it is never heard of here, since the provider has none or it has no use. */
  readonly neverBy: readonly ('back_channel' | 'front_channel')[]
  /** What takes the place of being told; `undefined` where nothing has to. */
  readonly filledBy: 'revalidation' | 'refresh' | undefined
}

/** What this deployment will hear of, and what to register at the provider. */
export interface Coverage {
  readonly lines: readonly CoverageLine[]
  /** Sentences for the log: each gap and what fills it. */
  readonly warnings: readonly string[]
  /** Client metadata to register, under its wire names. */
  readonly registration: Readonly<Record<string, string | boolean | readonly string[]>>
}

/** Signs users in, keeps their tokens, and makes them gone when a user signs out anywhere. */
export interface Auth {
  /** The public origin it was created with. An adapter builds request URLs from it. */
  readonly origin: string

  /** Whether a path belongs to coatcheck. An adapter asks before it touches the body. */
  owns(path: string): boolean

  /** Answers a request to one of the routes. Never rejects for what a client or the provider sent. */
  handle(request: Request): Promise<Response>

  /** Who is signed in, if anybody. Rejects with `store_unavailable` where it cannot know. */
  session(request: HasHeaders): Promise<Session | undefined>

  /** A valid access token. Rejects with {@link SignInRequired} when nobody is signed in. */
  accessToken(from: HasHeaders | Session, options?: AccessTokenOptions): Promise<AccessToken>

  /** `fetch` with the access token attached, and one retry when the API wants a fresher one. */
  fetch(from: HasHeaders | Session, url: string | URL, init?: AuthFetchInit): Promise<Response>

  /** Removes what the selector names, everywhere. Resolves when it is durable. */
  signOut(
    selector: SignOutSelector,
    options?: { readonly cause?: Extract<SignOutCause, 'administrator' | 'security_event'> },
  ): Promise<SignOutReceipt>

  /**
   * Every sign-in that began until now, whoever's and in whatever process of this deployment, fails
   * at its callback with `signed_out_meanwhile`; who begins afterwards is not blocked. Nobody who is
   * signed in is signed out: to sign everybody out, call it first, and then end what is in the
   * store. Resolves when it is durable; rejects with `store_unavailable`, and is to be called again.
   */
  refuseSignInsUnderWay(): Promise<void>

  /**
   * Every session of a user, for "your devices" and administrators; or, by its handle, the one
   * session where it is there.
   */
  sessions(
    of: { readonly issuer?: string; readonly subject: string } | { readonly session: string },
  ): Promise<SessionSummary[]>

  /** Who can end a session and how this deployment will hear of it. */
  coverage(): Promise<Coverage>

  /** The path, with its query, that starts a sign-in which comes back to `returnTo`. */
  signInPath(returnTo?: string): string

  /**
   * Stops the background work and waits for what is under way: for sign-outs that wait for the
   * store some ten seconds, or until it is back. The store stays open.
   */
  close(): Promise<void>
}
