import type { ProviderClient } from './clients.ts'
import type { ProviderRequest } from './exchange.ts'
import type { ProviderKeys } from './keys.ts'
import type { Ledger } from './ledger.ts'
import type { Delivery } from './logout.ts'
import type { Change, Scriptable, Scripts } from './scripts.ts'
import type { ProviderSessions, ProviderUser } from './sessions.ts'

/** How the provider behaves where no script says otherwise. Change it at any time. */
export interface ProviderSettings {
  /** Default 60. */
  codeSeconds: number
  /** Default 300. */
  accessTokenSeconds: number
  /** Default 300. */
  idTokenSeconds: number
  /** Default 86400. */
  refreshTokenSeconds: number
  /** Of a pushed authorization request. Default 60. */
  requestUriSeconds: number
  /** Default 120. */
  logoutTokenSeconds: number
  /** Default `jwt` (RFC 9068). */
  accessTokens: 'jwt' | 'opaque'
  /** Default `always`; `offline_access` = only where that scope was asked. */
  refreshTokens: 'always' | 'offline_access' | 'never'
  /** Default `true`: each is used once, and a second use revokes the family. */
  rotateRefreshTokens: boolean
  /** Some providers end their session when a refresh token is revoked, and tell nobody. */
  revocationEndsSession: boolean
  /** Send logout tokens before end-session answers. Default `true`. */
  backChannel: boolean
  /** Answer end-session with a page of iframes. Default `false`. */
  frontChannel: boolean
  /** Put `sid` into the iframe's URL as it is, as the certification suite does. Default `true`. */
  rawFrontChannelSid: boolean
  /** Sent beside every `logout_token`. */
  logoutParameters: Record<string, string>
  /** Known APIs (RFC 8707); others are `invalid_target`. `undefined` = any. */
  resources: string[] | undefined
}

/** The metadata document, to be changed at will. */
export interface EditableMetadata {
  issuer?: unknown
  jwks_uri?: unknown
  authorization_endpoint?: unknown
  token_endpoint?: unknown
  userinfo_endpoint?: unknown
  revocation_endpoint?: unknown
  end_session_endpoint?: unknown
  /** Where it is set, the authorization response carries `session_state`. */
  check_session_iframe?: unknown
  pushed_authorization_request_endpoint?: unknown
  /** `true` makes the authorization endpoint refuse everything else. */
  require_pushed_authorization_requests?: unknown
  /** `true` (the default) puts `iss` into the authorization response (RFC 9207). */
  authorization_response_iss_parameter_supported?: unknown
  code_challenge_methods_supported?: unknown
  backchannel_logout_supported?: unknown
  backchannel_logout_session_supported?: unknown
  frontchannel_logout_supported?: unknown
  frontchannel_logout_session_supported?: unknown
  [name: string]: unknown
}

/** A pushed authorization request that waits to be used. */
export interface PushedRequest {
  readonly clientId: string
  readonly parameters: URLSearchParams
  readonly expiresAt: number
}

/** What the endpoints share. */
export interface ProviderState {
  readonly issuer: string
  readonly cookieName: string
  readonly now: () => number
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  readonly settings: ProviderSettings
  readonly metadata: EditableMetadata
  readonly clients: Map<string, ProviderClient>
  readonly users: Map<string, ProviderUser>
  user: ProviderUser
  readonly keys: ProviderKeys
  readonly sessions: ProviderSessions
  readonly ledger: Ledger
  readonly changes: Scripts<Change<never>>
  readonly pushed: Map<string, PushedRequest>
  readonly deliveries: Delivery[]
  /** `jti` of the client assertions that were accepted. */
  readonly assertions: Set<string>
}

/** What {@link ProviderState.settings} begins with. */
export const defaultSettings: Readonly<ProviderSettings> = {
  codeSeconds: 60,
  accessTokenSeconds: 300,
  idTokenSeconds: 300,
  refreshTokenSeconds: 86400,
  requestUriSeconds: 60,
  logoutTokenSeconds: 120,
  accessTokens: 'jwt',
  refreshTokens: 'always',
  rotateRefreshTokens: true,
  revocationEndsSession: false,
  backChannel: true,
  frontChannel: false,
  rawFrontChannelSid: true,
  logoutParameters: {},
  resources: undefined,
}

/** Seconds since the epoch, whole. */
export function seconds(state: Pick<ProviderState, 'now'>): number {
  return Math.floor(state.now() / 1000)
}

/** Lets the scripts for something change it. */
export async function applyChanges<What extends keyof Scriptable>(
  state: ProviderState,
  what: What,
  draft: Scriptable[What],
  request: ProviderRequest | undefined,
): Promise<void> {
  for (const change of state.changes.take(what, request?.grant)) {
    await (change as Change<Scriptable[What]>)(draft, request)
  }
}
