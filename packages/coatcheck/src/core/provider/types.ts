/** The claims of an ID token or of UserInfo. Only `sub` is certain. */
export interface Claims {
  readonly sub: string
  readonly [name: string]: unknown
}

/** What discovery said (OpenID Connect Discovery 1.0 section 3), under its wire names. */
export interface ProviderMetadata {
  readonly issuer: string
  readonly authorization_endpoint: string
  readonly token_endpoint: string
  readonly jwks_uri: string
  readonly userinfo_endpoint?: string
  readonly revocation_endpoint?: string
  readonly end_session_endpoint?: string
  readonly pushed_authorization_request_endpoint?: string
  readonly require_pushed_authorization_requests?: boolean
  readonly authorization_response_iss_parameter_supported?: boolean
  readonly backchannel_logout_supported?: boolean
  readonly backchannel_logout_session_supported?: boolean
  readonly frontchannel_logout_supported?: boolean
  readonly frontchannel_logout_session_supported?: boolean
  readonly [name: string]: unknown
}

/** An ID token whose every check passed. */
export interface VerifiedIdToken {
  /** The signed token; the inner one where it came encrypted. Sent back as `id_token_hint`. */
  readonly value: string
  readonly subject: string
  readonly sid: string | undefined
  /** Milliseconds since the epoch, by the provider's clock. */
  readonly issuedAt: number
  readonly claims: Claims
}

/** What the token endpoint answered (RFC 6749 section 5.1), checked. */
export interface TokenSet {
  readonly accessToken: string
  /** `Bearer`, however the provider spelt it. */
  readonly tokenType: string
  /** Milliseconds since the epoch, by our clock. */
  readonly expiresAt: number
  /** Granted scope, where the provider said it. */
  readonly scope: string | undefined
  readonly refreshToken: string | undefined
  readonly idToken: VerifiedIdToken | undefined
}

/** What a valid logout token says (Back-Channel Logout 1.0 section 2.4). */
export interface LogoutToken {
  readonly issuer: string
  readonly subject: string | undefined
  readonly sid: string | undefined
  readonly jti: string
  /** Milliseconds since the epoch, by the provider's clock. */
  readonly issuedAt: number
  /** Until when a replay must be remembered, in milliseconds since the epoch. */
  readonly expiresAt: number
  /** It had no `exp`, and was accepted for its fresh `iat`. */
  readonly withoutExpiry: boolean
  /** The provider asks that offline grants end too (`revoke_offline_access`, Keycloak). */
  readonly revokeOfflineAccess: boolean
  /** It is genuine, but its `exp` has passed: revalidate, do not remove. */
  readonly late: boolean
}

/** Which rules of an authorization request the ID token has to answer for. */
export interface SignInExpectation {
  readonly nonce: string
  /** Seconds; then `auth_time` must be there and young enough. */
  readonly maxAge: number | undefined
  /** Any of these is good; empty = not asked. */
  readonly acrValues: readonly string[]
}

/** What a refreshed ID token must agree with (OpenID Connect Core 12.2). */
export interface RefreshExpectation {
  readonly subject: string
  readonly nonce: string | undefined
  readonly authTime: number | undefined
}

/** How a revocation (RFC 7009) ended. */
export type RevocationAnswer =
  /** The provider confirmed: the token is of no use any more. */
  | { readonly outcome: 'confirmed' }
  /** The provider has no revocation endpoint, or none for this kind of token. */
  | { readonly outcome: 'unsupported' }
  /** Try again, not before `retryAt` (milliseconds since the epoch) where it said so. */
  | { readonly outcome: 'failed'; readonly reason: string; readonly retryAt: number | undefined }

/**
 * The OpenID Provider as the rest of the core sees it. All network traffic to it is bounded in
 * time and size, follows no redirect, and goes to discovered endpoints only.
 */
export interface Provider {
  readonly issuer: string
  readonly clientId: string

  /** Discovery: lazy, cached, refreshed, recovering. Rejects with an `AuthError`. */
  metadata(): Promise<ProviderMetadata>

  /** What discovery last said, without asking. */
  knownMetadata(): ProviderMetadata | undefined

  /**
   * Where to send the browser for an authorization request with these parameters (`client_id`
   * and `response_type` are added). Uses PAR (RFC 9126) where the provider or the options ask.
   */
  authorizationUrl(parameters: Readonly<Record<string, string | readonly string[]>>): Promise<URL>

  /**
   * Sends the code of a callback (Core 3.1.3) and checks all that comes back. `callback` is
   * query or form of the authorization response; its `state` was compared by the caller.
   */
  exchangeCode(
    callback: URLSearchParams,
    exchange: {
      readonly redirectUri: string
      readonly verifier: string
      readonly resources: readonly string[]
      readonly expect: SignInExpectation
    },
  ): Promise<TokenSet & { readonly idToken: VerifiedIdToken }>

  /** Spends a refresh token (Core 12). */
  refresh(
    refreshToken: string,
    refresh: {
      readonly resources: readonly string[]
      readonly scope: string | undefined
      readonly claims: string | undefined
      readonly expect: RefreshExpectation
    },
  ): Promise<TokenSet>

  /** Claims of the user (Core 5.3); rejects `userinfo_invalid` where `sub` is not `subject`. */
  userInfo(accessToken: string, subject: string): Promise<Claims>

  /** Never rejects for what the provider answers. */
  revoke(token: string, hint: 'access_token' | 'refresh_token'): Promise<RevocationAnswer>

  /** Checks a logout token. Rejects `logout_token_invalid`, or the reason why it could not tell. */
  verifyLogoutToken(jwt: string): Promise<LogoutToken>
}
