import type { JWK } from 'jose'

/** A registration (OpenID Connect Dynamic Client Registration), under its wire names. */
export interface ProviderClient {
  readonly client_id: string
  client_secret: string | undefined
  token_endpoint_auth_method:
    | 'client_secret_basic'
    | 'client_secret_post'
    | 'private_key_jwt'
    | 'none'
  /** Compared exactly. Empty = any is accepted. */
  redirect_uris: string[]
  /** Compared exactly. Empty = any is accepted. */
  post_logout_redirect_uris: string[]
  backchannel_logout_uri: string | undefined
  /** `false` leaves `sid` out of its logout tokens. */
  backchannel_logout_session_required: boolean
  frontchannel_logout_uri: string | undefined
  /** `false` leaves `iss` and `sid` out of its iframe. */
  frontchannel_logout_session_required: boolean
  id_token_signed_response_alg: string
  /** With `jwks` set: ID tokens and logout tokens are encrypted to its `use: enc` key. */
  id_token_encrypted_response_alg: string | undefined
  id_token_encrypted_response_enc: string | undefined
  /** Its public keys, for `private_key_jwt` and encryption. */
  jwks: { keys: JWK[] } | undefined
}

/** What a test has to say about a client. */
export interface ClientRegistration extends Partial<Omit<ProviderClient, 'client_id'>> {
  readonly client_id: string
  /** Registers coatcheck's default routes under this origin, all of them. */
  readonly origin?: string
}

/** Fills in what a registration leaves open. The secret is `<client_id>-secret-…`. */
export function completeClient(registration: ClientRegistration): ProviderClient {
  const { origin, ...given } = registration
  const routes = origin === undefined ? {} : defaultRoutes(origin)
  return {
    client_secret: `${given.client_id}-secret-that-nobody-may-log`,
    token_endpoint_auth_method: 'client_secret_basic',
    redirect_uris: [],
    post_logout_redirect_uris: [],
    backchannel_logout_uri: undefined,
    backchannel_logout_session_required: true,
    frontchannel_logout_uri: undefined,
    frontchannel_logout_session_required: true,
    id_token_signed_response_alg: 'RS256',
    id_token_encrypted_response_alg: undefined,
    id_token_encrypted_response_enc: 'A256GCM',
    jwks: undefined,
    ...routes,
    ...given,
  }
}

function defaultRoutes(origin: string): Partial<ProviderClient> {
  return {
    redirect_uris: [`${origin}/auth/callback`],
    post_logout_redirect_uris: [`${origin}/auth/signed-out`],
    backchannel_logout_uri: `${origin}/auth/backchannel-logout`,
    frontchannel_logout_uri: `${origin}/auth/frontchannel-logout`,
  }
}
