import { randomUUID } from 'node:crypto'
import type { EndpointName } from './exchange.ts'
import type { EditableMetadata } from './state.ts'

/** Where the endpoints are, below the issuer. */
export type EndpointPaths = ReadonlyMap<string, EndpointName>

/** The paths of one provider. The JWKS is somewhere else each time: it has to be discovered. */
export function endpointPaths(base: string): EndpointPaths {
  return new Map<string, EndpointName>([
    [`${base}/.well-known/openid-configuration`, 'discovery'],
    [`${base}/jwks/${randomUUID()}`, 'jwks'],
    [`${base}/authorize`, 'authorization'],
    [`${base}/par`, 'par'],
    [`${base}/token`, 'token'],
    [`${base}/userinfo`, 'userinfo'],
    [`${base}/revoke`, 'revocation'],
    [`${base}/end-session`, 'end_session'],
  ])
}

/** The metadata of a provider that can do everything (Discovery 1.0 section 3). */
export function defaultMetadata(issuer: string, paths: EndpointPaths): EditableMetadata {
  const { origin } = new URL(issuer)
  const url = (endpoint: EndpointName): string =>
    origin + [...paths].find(([, name]) => name === endpoint)?.[0]
  const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']
  return {
    issuer,
    authorization_endpoint: url('authorization'),
    token_endpoint: url('token'),
    userinfo_endpoint: url('userinfo'),
    jwks_uri: url('jwks'),
    revocation_endpoint: url('revocation'),
    end_session_endpoint: url('end_session'),
    pushed_authorization_request_endpoint: url('par'),
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'form_post'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'ES256', 'EdDSA'],
    revocation_endpoint_auth_methods_supported: methods,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
  }
}
