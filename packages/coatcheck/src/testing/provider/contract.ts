import type { ClientRegistration, ProviderClient } from './clients.ts'
import type { Before } from './dispatch.ts'
import type { EndpointName, ProviderRequest } from './exchange.ts'
import type { Hold, HoldOptions } from './holds.ts'
import type { Fetch } from './in-process.ts'
import type { TokenDraft } from './jwt.ts'
import type { ProviderKey, ProviderKeys } from './keys.ts'
import type { Issued, IssuedAccessToken, Reuse, Revocation } from './ledger.ts'
import type { Delivery, LogoutTokenParts } from './logout.ts'
import type { Script, Scriptable, ScriptOptions } from './scripts.ts'
import type { ProviderSession, ProviderUser } from './sessions.ts'
import type { EditableMetadata, ProviderSettings } from './state.ts'

/** What can be said about a provider before it starts. All of it may stay away. */
export interface TestProviderOptions {
  /** Name in the issuer, such as `op.localhost`. Default `127.0.0.1`. */
  readonly host?: string
  /**
   * Origin of the issuer where something before the provider ends TLS, such as
   * `https://op.localhost:8443`; it has to pass on to `provider.fetch`. Default: where it listens.
   */
  readonly origin?: string
  /** Path of the issuer, such as `/tenant` or `/`. Default none. */
  readonly path?: string
  /** Default 0: any that is free. */
  readonly port?: number
  /** The provider's clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
  readonly user?: ProviderUser
  /** Default: `app`, which any redirect URI is good for. */
  readonly clients?: readonly ClientRegistration[]
  readonly settings?: Partial<ProviderSettings>
  /** Laid over the default; `undefined` takes a member away. */
  readonly metadata?: EditableMetadata
  /** The first signing key, to save the time of making one. */
  readonly key?: ProviderKey
  /** How logout tokens reach the applications. Default: over HTTP, `*.localhost` included. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
}

/**
 * An OpenID Provider for tests: a real server that does what the specifications say until a
 * script says otherwise, and that remembers everything.
 */
export interface TestProvider {
  readonly issuer: string
  /** The document discovery answers. Change or delete members at will. */
  readonly metadata: EditableMetadata
  readonly settings: ProviderSettings
  readonly keys: ProviderKeys
  readonly clients: ReadonlyMap<string, ProviderClient>
  /** Who signs in where a browser has no session and `login_hint` names nobody else. */
  user: ProviderUser
  /** Details of users that `login_hint` may name. */
  readonly users: Map<string, ProviderUser>
  /** Every session there ever was. */
  readonly sessions: readonly ProviderSession[]
  /** Every request, in the order of arrival. Empty it (`length = 0`) to count from here. */
  readonly requests: ProviderRequest[]
  /** Everything ever handed out. */
  readonly issued: readonly Issued[]
  /** Codes and refresh tokens that came a second time. */
  readonly reused: readonly Reuse[]
  readonly revoked: readonly Revocation[]
  /** Logout tokens the provider sent by itself. */
  readonly deliveries: readonly Delivery[]

  /** Adds a client, or replaces it. With `origin`, at coatcheck's default routes. */
  register(registration: ClientRegistration): ProviderClient
  /** Changes or replaces what goes out next; see {@link Script}. Returns how to take it back. */
  next<What extends keyof Scriptable>(
    what: What,
    script: Script<Scriptable[What]>,
    options?: ScriptOptions,
  ): () => void
  /** Runs something when the next request has arrived, before the endpoint looks at it. */
  before(endpoint: EndpointName, run: Before, options?: ScriptOptions): () => void
  /** Lets requests arrive and wait. */
  hold(endpoint: EndpointName, options?: HoldOptions): Hold
  /** Takes back every script. Holds stay. */
  forget(): void

  /** Resolves with the n-th request to an endpoint, counted from 1, when it has arrived. */
  received(endpoint: EndpointName, position?: number, grant?: string): Promise<ProviderRequest>
  /** How many requests came to an endpoint, of one `grant_type` where it is given. */
  count(endpoint: EndpointName, grant?: string): number

  /** Signs any token at all, such as an ID token to be presented where it does not belong. */
  sign(draft: Partial<TokenDraft>): Promise<string>
  /** Signs a logout token. Without arguments it is valid, for the newest session. */
  logoutToken(parts?: LogoutTokenParts): Promise<string>
  /** Posts a logout token, or anything else, to a back-channel logout URI. */
  sendLogout(
    url: string,
    token: string,
    init?: { readonly headers?: Record<string, string> },
  ): Promise<Response>
  /** An administrator ends one session here; its applications are told. */
  endSession(sid: string): Promise<Delivery[]>
  /** An administrator ends all of a user, offline access included; tokens have no `sid`. */
  endUser(sub: string): Promise<Delivery[]>
  /** Replaces the signing key; `keep` goes on publishing the old one. */
  rotateKeys(options?: { readonly keep?: boolean }): Promise<ProviderKey>

  /** Refresh tokens that would be accepted now. */
  liveRefreshTokens(): string[]
  /** Access tokens that would be accepted now. */
  liveAccessTokens(): string[]
  /** What an API would learn of an access token by introspection; nothing if it is of no use. */
  introspect(accessToken: string): IssuedAccessToken | undefined
  /** Every value that must never be seen in a log: all handed out, and what clients sent. */
  secrets(): string[]

  /** Reaches the provider without a socket: pass it as `environment.fetch` or to a browser. */
  readonly fetch: Fetch
  /** The provider is down: connections are refused. All state is kept. */
  stop(): Promise<void>
  /** Up again, on the same port. */
  start(): Promise<void>
  /** Ends it. Rejects with what a script threw, so that a failed assertion there is seen. */
  close(): Promise<void>
}
