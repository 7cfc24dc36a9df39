import { authenticateClient } from './client-authentication.ts'
import { type Answer, jsonAnswer, type ProviderRequest, refusal } from './exchange.ts'
import { isActive, type Revocation } from './ledger.ts'
import type { ProviderState } from './state.ts'

/** UserInfo (Core 5.3): the claims of whoever an access token is about. */
export function userInfoEndpoint(state: ProviderState, request: ProviderRequest): Answer {
  const value = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]
  const token = state.ledger.accessTokens.get(value ?? '')
  if (!token || !isActive(token, state.now())) {
    const answer = refusal(401, 'invalid_token', 'not an active access token of this provider')
    answer.headers['www-authenticate'] =
      value === undefined ? 'Bearer' : 'Bearer error="invalid_token"'
    return answer
  }
  const { sub, claims } = token.family.session
  return jsonAnswer({ ...claims, sub })
}

/** Revocation (RFC 7009). A refresh token takes all of its family along. */
export async function revocationEndpoint(
  state: ProviderState,
  request: ProviderRequest,
): Promise<Answer> {
  if (request.method !== 'POST') return refusal(405, 'invalid_request', 'POST expected')
  const { client, refused } = await authenticateClient(state, request)
  if (refused) return refused
  const token = request.form.get('token')
  if (token === null) return refusal(400, 'invalid_request', 'token is missing')
  const { accessTokens, refreshTokens, revoked } = state.ledger
  const refreshToken = refreshTokens.get(token)
  const accessToken = accessTokens.get(token)
  const family = (refreshToken ?? accessToken)?.family
  if (family && family.clientId !== client.client_id)
    return refusal(400, 'invalid_request', 'the token was issued to another client')

  if (refreshToken) {
    refreshToken.family.revoked = true
    if (state.settings.revocationEndsSession) refreshToken.family.session.ended = true
  }
  if (accessToken) accessToken.revoked = true
  const kind: Revocation['kind'] = refreshToken
    ? 'refresh_token'
    : accessToken
      ? 'access_token'
      : 'unknown'
  const hint = request.form.get('token_type_hint') ?? undefined
  revoked.push({ token, hint, kind, clientId: client.client_id, at: state.now() })
  return { ...jsonAnswer({}), body: '' }
}
