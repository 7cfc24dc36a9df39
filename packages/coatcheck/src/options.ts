import type { Environment, environment } from './core/environment.ts'
import type { ProviderOptions } from './core/provider/options.ts'
import type { TokenStore } from './core/tokens/store.ts'
import type { AuthEvent } from './events.ts'
import type { Place } from './places.ts'

/** The paths coatcheck answers. Each begins with a slash. */
export interface Routes {
  /** Default `/auth/sign-in`. */
  readonly signIn: string
  /** Default `/auth/callback`: register `origin` + this as redirect URI. */
  readonly callback: string
  /** Default `/auth/sign-out`. */
  readonly signOut: string
  /** Default `/auth/signed-out`: register `origin` + this as post-logout redirect URI. */
  readonly signedOut: string
  /** Default `/auth/backchannel-logout`: register as back-channel logout URI, session required. */
  readonly backChannelLogout: string
  /** Default `/auth/frontchannel-logout`: register as front-channel logout URI, session required. */
  readonly frontChannelLogout: string
  /** Default `/auth/session`. */
  readonly session: string
}

/** How long a session may live. All in seconds. */
export interface SessionOptions {
  /** From sign-in, whatever happens. Default 43200 (12 hours). */
  readonly lifetimeSeconds?: number
  /** Without any request. Default 3600. */
  readonly idleSeconds?: number
  /**
   * At least this often the provider is asked whether the session still stands. Default 900 for a
   * provider that does not announce back-channel logout, otherwise never.
   */
  readonly revalidateSeconds?: number
}

/** What `createAuth` needs to know. `origin`, `provider`, `store` and `keys` have no default. */
export interface AuthOptions {
  /** The public origin of the application, such as `https://app.example`. No header changes it. */
  readonly origin: string
  readonly provider: ProviderOptions
  readonly store: TokenStore
  /** Secrets of at least 32 bytes. The first seals, all open: put a new one first to rotate. */
  readonly keys: readonly (string | Uint8Array)[]
  /** Requested at sign-in. Default `openid`. Add `offline_access` where refresh tokens need it. */
  readonly scope?: string
  /** Resource indicators (RFC 8707) requested at sign-in. */
  readonly resources?: readonly string[]
  /**
   * Sent with every authorization request, such as `prompt` or `acr_values`. The ID token is held
   * to them, and a link to the sign-in cannot ask for anything else.
   */
  readonly authorizationParameters?: Readonly<Record<string, string>>
  /** How the provider sends the browser back. Default `query`. */
  readonly responseMode?: 'query' | 'form_post'
  /** Ask UserInfo at sign-in and add its claims. Default `false`. */
  readonly userInfo?: boolean
  readonly routes?: Partial<Routes>
  readonly session?: SessionOptions
  /**
   * How long the store may take to answer one call; then it counts as out of reach, and the request
   * fails with `store_unavailable`. At most 60. Default 2.
   */
  readonly storeTimeoutSeconds?: number
  /**
   * What keeps something of a session besides the store, such as another library's token cache: a
   * sign-out reaches it too. All processes that share a store declare the same.
   */
  readonly places?: readonly Place[]
  /** Hears of every sign-in, removal, refresh, revocation and refusal. */
  readonly observe?: (event: AuthEvent) => void
  /** For tests. */
  readonly [environment]?: Partial<Environment>
}
