import * as oauth from 'oauth4webapi'
import type { Environment } from '../environment.ts'
import type { ProviderFetch } from './http.ts'
import type { ProviderOptions } from './options.ts'
import type { ProviderMetadata } from './types.ts'

/** This application's requests to the provider that have to say who it is. */
export interface Client {
  /** To the token endpoint (RFC 6749 section 3.2). */
  token(
    metadata: ProviderMetadata,
    grantType: 'authorization_code' | 'refresh_token',
    parameters: URLSearchParams,
  ): Promise<Response>
  /** To the pushed authorization request endpoint (RFC 9126 section 2.1). */
  push(metadata: ProviderMetadata, parameters: URLSearchParams): Promise<Response>
  /** To the revocation endpoint (RFC 7009 section 2.1). */
  revoke(metadata: ProviderMetadata, token: string, hint: string): Promise<Response>
}

/** A provider may have to ask a directory before it issues a token. */
const TOKEN_LIMIT_MILLISECONDS = 10_000
/** RFC 7523 section 3: an assertion should be of no use soon after. */
const ASSERTION_SECONDS = 60

/** Builds requests and proves who asks, the registered way (Core section 9). */
export function createClient(
  options: ProviderOptions,
  providerFetch: ProviderFetch,
  environment: Environment,
): Client {
  const client: oauth.Client = { client_id: options.clientId }
  const authenticate = clientAuthentication(options, environment)

  const via = (what: string, url: string | undefined, limitMilliseconds?: number) => ({
    // The provider's fetch has the same rule; here it only opens http on this machine.
    [oauth.allowInsecureRequests]: url?.startsWith('http:') ?? false,
    [oauth.customFetch]: (target: string, init: RequestInit) =>
      providerFetch(what, target, init, limitMilliseconds),
  })

  return {
    token(metadata, grantType, parameters) {
      const through = via('token endpoint', metadata.token_endpoint, TOKEN_LIMIT_MILLISECONDS)
      const server = serverOf(metadata)
      return oauth.genericTokenEndpointRequest(
        server,
        client,
        authenticate,
        grantType,
        parameters,
        through,
      )
    },
    push(metadata, parameters) {
      const endpoint = metadata.pushed_authorization_request_endpoint
      const through = via('pushed authorization request endpoint', endpoint)
      return oauth.pushedAuthorizationRequest(
        serverOf(metadata),
        client,
        authenticate,
        parameters,
        through,
      )
    },
    revoke(metadata, token, hint) {
      const through = via('revocation endpoint', metadata.revocation_endpoint)
      return oauth.revocationRequest(serverOf(metadata), client, authenticate, token, {
        ...through,
        additionalParameters: { token_type_hint: hint },
      })
    },
  }
}

/** The metadata as oauth4webapi types it: our index signature is the wider one. */
function serverOf(metadata: ProviderMetadata): oauth.AuthorizationServer {
  return metadata as unknown as oauth.AuthorizationServer
}

function clientAuthentication(
  { clientSecret, clientAuthentication: method = 'client_secret_basic' }: ProviderOptions,
  { now }: Environment,
): oauth.ClientAuth {
  if (typeof method === 'object') {
    const key = { key: method.privateKeyJwt, ...(method.kid && { kid: method.kid }) }
    return oauth.PrivateKeyJwt(key, {
      [oauth.modifyAssertion](header, payload) {
        // Told apart from every other token we sign (RFC 8725 section 3.11).
        header['typ'] = 'client-authentication+jwt'
        const issuedAt = Math.floor(now() / 1000)
        payload['iat'] = issuedAt
        payload['exp'] = issuedAt + ASSERTION_SECONDS
        // Optional, and the first thing that fails at a provider whose clock is behind.
        delete payload['nbf']
      },
    })
  }
  const secret = clientSecret ?? ''
  return method === 'client_secret_post'
    ? oauth.ClientSecretPost(secret)
    : clientSecretBasic(secret)
}

/**
 * RFC 6749 section 2.3.1, with the characters left alone that the form encoding leaves alone:
 * oauth4webapi encodes `-`, `_` and `.` too, which a provider that does not decode
 * (LemonLDAP::NG 2.21) takes for another client.
 */
function clientSecretBasic(secret: string): oauth.ClientAuth {
  return (_server, { client_id }, _body, headers) => {
    headers.set(
      'authorization',
      `Basic ${btoa(`${formEncoded(client_id)}:${formEncoded(secret)}`)}`,
    )
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}
