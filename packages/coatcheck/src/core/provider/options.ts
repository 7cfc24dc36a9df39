import type { CryptoKey, JWK } from 'jose'

/** How this application proves to the provider who it is (OpenID Connect Core section 9). */
export type ClientAuthentication =
  /** The secret in the Authorization header, form-encoded first (RFC 6749 section 2.3.1). */
  | 'client_secret_basic'
  /** The secret in the request body. */
  | 'client_secret_post'
  /** A signed assertion whose only audience is the issuer. */
  | { readonly privateKeyJwt: CryptoKey; readonly kid?: string }

/** The OpenID Provider and this application's registration there. */
export interface ProviderOptions {
  /** The issuer, exactly as the provider writes it in its tokens. */
  readonly issuer: string
  readonly clientId: string
  /** For `client_secret_basic` (the default) and `client_secret_post`. */
  readonly clientSecret?: string
  readonly clientAuthentication?: ClientAuthentication
  /** The one algorithm ID tokens and logout tokens are signed with. Default `RS256`. */
  readonly idTokenSignedResponseAlg?: string
  /** Set where ID tokens were registered to come encrypted; then plain ones are refused. */
  readonly idTokenEncryption?: {
    readonly key: CryptoKey | JWK
    /** Key management algorithm, such as `RSA-OAEP`. */
    readonly alg: string
    /** Content encryption, such as `A256GCM`. */
    readonly enc: string
  }
  /** Audiences that may stand beside the client id. */
  readonly trustedAudiences?: readonly string[]
  /** How far the clocks may differ, in seconds, at most 300. Default 60. */
  readonly clockSkewSeconds?: number
  /** Send every authorization request by PAR, also where the provider does not require it. */
  readonly pushedAuthorizationRequests?: boolean
  /** Refuse logout tokens without `exp` or without `typ: logout+jwt`. */
  readonly strictLogoutTokens?: boolean
  /** Refuse logout tokens whose `iat` is older than this, in seconds. Default 86400. */
  readonly logoutTokenAgeSeconds?: number
}
