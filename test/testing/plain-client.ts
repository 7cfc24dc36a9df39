import { createHash, randomUUID } from 'node:crypto'
import type { TestProvider } from '#coatcheck/testing/index'

/** Where the plain client is sent back. Nothing listens there. */
export const redirectUri = 'http://127.0.0.1:1/auth/callback'

/** What a token endpoint answered. */
export type Tokens = Partial<
  Record<'access_token' | 'refresh_token' | 'id_token' | 'scope' | 'token_type' | 'error', string>
>

/** The parameters of an authorization request, and the verifier that belongs to them. */
export function authorizationRequest(parameters: Record<string, string> = {}): {
  readonly query: URLSearchParams
  readonly verifier: string
} {
  const verifier = randomUUID() + randomUUID()
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'app',
    redirect_uri: redirectUri,
    scope: 'openid',
    state: 'state-1',
    nonce: 'nonce-1',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  })
  return { query, verifier }
}

/** Asks the authorization endpoint as a browser would, and does not follow. */
export function authorize(
  provider: TestProvider,
  query: URLSearchParams,
  cookie = '',
): Promise<Response> {
  return fetch(`${provider.metadata.authorization_endpoint}?${query}`, {
    redirect: 'manual',
    headers: cookie === '' ? {} : { cookie },
  })
}

/** The parameters with which the provider sends the browser back. */
export function sentBack(response: Response): URLSearchParams {
  return new URL(response.headers.get('location') ?? 'none:').searchParams
}

/** Posts a form with the client's secret in the header. */
export function post(
  provider: TestProvider,
  endpoint: 'token' | 'revocation' | 'pushed_authorization_request',
  form: Record<string, string> | URLSearchParams,
  client = 'app',
): Promise<Response> {
  const secret = provider.clients.get(client)?.client_secret
  return fetch(String(provider.metadata[`${endpoint}_endpoint`]), {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client}:${secret}`)}` },
    body: new URLSearchParams(form),
  })
}

/** Signs a user in, from the redirect to the tokens. */
export async function signIn(
  provider: TestProvider,
  parameters: Record<string, string> = {},
  cookie = '',
): Promise<Tokens & { readonly cookie: string }> {
  const { query, verifier } = authorizationRequest(parameters)
  const response = await authorize(provider, query, cookie)
  const code = sentBack(response).get('code') ?? ''
  const tokens = await exchange(provider, { code, code_verifier: verifier }, query.get('client_id'))
  return { ...tokens, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' }
}

/** Sends a code to the token endpoint. */
export async function exchange(
  provider: TestProvider,
  form: Record<string, string>,
  client: string | null = 'app',
): Promise<Tokens> {
  const grant = { grant_type: 'authorization_code', redirect_uri: redirectUri, ...form }
  const response = await post(provider, 'token', grant, client ?? 'app')
  return (await response.json()) as Tokens
}

/** Spends a refresh token. */
export async function refresh(
  provider: TestProvider,
  refreshToken: string | undefined,
  form: Record<string, string> = {},
): Promise<Tokens> {
  const response = await post(provider, 'token', {
    grant_type: 'refresh_token',
    refresh_token: refreshToken ?? '',
    ...form,
  })
  return (await response.json()) as Tokens
}
