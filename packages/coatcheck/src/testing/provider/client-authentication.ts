import { createLocalJWKSet, jwtVerify } from 'jose'
import type { ProviderClient } from './clients.ts'
import { type Answer, type ProviderRequest, refusal } from './exchange.ts'
import { readClaims } from './jwt.ts'
import type { ProviderState } from './state.ts'

/** Who asks, or the refusal. */
export type ClientAuthenticated =
  | { readonly client: ProviderClient; readonly refused?: never }
  | { readonly refused: Answer; readonly client?: never }

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Checks that a request comes from a client, in the way that client registered, and only so. */
export async function authenticateClient(
  state: ProviderState,
  request: ProviderRequest,
): Promise<ClientAuthenticated> {
  const credentials = presented(request)
  if (!credentials) return refused(request, 'exactly one way of client authentication expected')
  const client = state.clients.get(credentials.clientId)
  if (!client) return refused(request, 'unknown client')
  if (client.token_endpoint_auth_method !== credentials.method)
    return refused(request, `registered for ${client.token_endpoint_auth_method}`)
  if (credentials.method === 'none') return { client }
  if (credentials.method !== 'private_key_jwt')
    return credentials.value === client.client_secret
      ? { client }
      : refused(request, 'wrong secret')
  return checkAssertion(state, request, client, credentials.value)
}

interface Credentials {
  readonly method: ProviderClient['token_endpoint_auth_method']
  readonly clientId: string
  readonly value: string
}

function presented({ headers, form }: ProviderRequest): Credentials | undefined {
  const found: Credentials[] = []
  const basic = /^Basic (.+)$/i.exec(headers.get('authorization') ?? '')?.[1]
  const secret = form.get('client_secret')
  const assertion = form.get('client_assertion')
  if (basic !== undefined) {
    const [id = '', value = ''] = Buffer.from(basic, 'base64').toString().split(':')
    found.push({ method: 'client_secret_basic', clientId: unform(id), value: unform(value) })
  }
  if (secret !== null)
    found.push({
      method: 'client_secret_post',
      clientId: form.get('client_id') ?? '',
      value: secret,
    })
  if (assertion !== null && form.get('client_assertion_type') === assertionType)
    found.push({ method: 'private_key_jwt', clientId: subjectOf(assertion), value: assertion })
  const id = form.get('client_id')
  if (found.length === 0 && id !== null) found.push({ method: 'none', clientId: id, value: '' })
  return found.length === 1 ? found[0] : undefined
}

/** The audience is the issuer and nothing else, and a `jti` counts once (RFC 7523bis section 3). */
async function checkAssertion(
  state: ProviderState,
  request: ProviderRequest,
  client: ProviderClient,
  assertion: string,
): Promise<ClientAuthenticated> {
  try {
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(client.jwks ?? { keys: [] }), {
      issuer: client.client_id,
      subject: client.client_id,
      currentDate: new Date(state.now()),
      requiredClaims: ['exp', 'jti'],
    })
    if (payload.aud !== state.issuer) return refused(request, 'aud must be the issuer alone')
    if (state.assertions.has(String(payload.jti))) return refused(request, 'jti was used before')
    state.assertions.add(String(payload.jti))
    return { client }
  } catch (error) {
    return refused(request, `client assertion refused: ${(error as Error).message}`)
  }
}

function refused(request: ProviderRequest, description: string): ClientAuthenticated {
  const answer = refusal(401, 'invalid_client', description)
  if (request.headers.has('authorization')) answer.headers['www-authenticate'] = 'Basic'
  return { refused: answer }
}

/** The other direction of RFC 6749 appendix B. */
function unform(text: string): string {
  return new URLSearchParams(`v=${text}`).get('v') ?? ''
}

function subjectOf(assertion: string): string {
  try {
    return String(readClaims(assertion).sub)
  } catch {
    return ''
  }
}
