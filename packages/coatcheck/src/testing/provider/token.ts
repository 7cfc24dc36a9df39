import { createHash } from 'node:crypto'
import { isResource, words } from './authorization.ts'
import { authenticateClient } from './client-authentication.ts'
import type { ProviderClient } from './clients.ts'
import { type Answer, jsonAnswer, type ProviderRequest, refusal } from './exchange.ts'
import { issueAccessToken, issueIdToken, issueRefreshToken } from './issue.ts'
import type { Family, Reuse } from './ledger.ts'
import type { ProviderState } from './state.ts'

/** The token endpoint (Core 3.1.3 and 12): codes and refresh tokens, each used once. */
export async function tokenEndpoint(
  state: ProviderState,
  request: ProviderRequest,
): Promise<Answer> {
  if (request.method !== 'POST') return refusal(405, 'invalid_request', 'POST expected')
  const { client, refused } = await authenticateClient(state, request)
  if (refused) return refused
  switch (request.grant) {
    case 'authorization_code':
      return exchangeCode(state, client, request)
    case 'refresh_token':
      return refresh(state, client, request)
    default:
      return refusal(400, 'unsupported_grant_type', 'a code or a refresh token expected')
  }
}

function exchangeCode(
  state: ProviderState,
  client: ProviderClient,
  request: ProviderRequest,
): Answer | Promise<Answer> {
  const value = request.form.get('code') ?? ''
  const code = state.ledger.codes.get(value)
  if (!code || code.family.clientId !== client.client_id) return invalidGrant('unknown code')
  if (code.spent) return reuse(state, 'code', value, code.family)
  code.spent = true
  if (state.now() >= code.expiresAt || code.family.session.ended)
    return invalidGrant('the code expired')
  if (request.form.get('redirect_uri') !== code.redirectUri)
    return invalidGrant('another redirect_uri')
  const verifier = request.form.get('code_verifier') ?? ''
  if (createHash('sha256').update(verifier).digest('base64url') !== code.challenge)
    return invalidGrant('the code_verifier does not fit')
  const resources = grantedResources(state, code.family, request)
  if (!resources) return refusal(400, 'invalid_target', 'not among those of the authorization')
  return tokenSet(state, client, code.family, resources, code.family.scope, request)
}

function refresh(
  state: ProviderState,
  client: ProviderClient,
  request: ProviderRequest,
): Answer | Promise<Answer> {
  const value = request.form.get('refresh_token') ?? ''
  const token = state.ledger.refreshTokens.get(value)
  if (!token || token.family.clientId !== client.client_id)
    return invalidGrant('unknown refresh token')
  if (token.rotated) return reuse(state, 'refresh_token', value, token.family)
  if (token.family.revoked) return invalidGrant('revoked')
  if (state.now() >= token.expiresAt) return invalidGrant('expired')
  const scope = request.form.has('scope')
    ? words(request.form.get('scope'))
    : [...token.family.scope]
  if (scope.some((word) => !token.family.scope.includes(word)))
    return refusal(400, 'invalid_scope', 'wider than what was granted')
  const resources = grantedResources(state, token.family, request)
  if (!resources) return refusal(400, 'invalid_target', 'not among those of the authorization')
  if (state.settings.rotateRefreshTokens) token.rotated = true
  return tokenSet(state, client, token.family, resources, scope, request)
}

async function tokenSet(
  state: ProviderState,
  client: ProviderClient,
  family: Family,
  resources: readonly string[],
  scope: readonly string[],
  request: ProviderRequest,
): Promise<Answer> {
  const { settings } = state
  const first = request.grant === 'authorization_code'
  const wanted =
    settings.refreshTokens === 'always' ||
    (settings.refreshTokens === 'offline_access' && family.offline)
  // Before anything is awaited: a revocation that comes meanwhile must find the new one too.
  const refreshToken =
    wanted && (first || settings.rotateRefreshTokens) ? issueRefreshToken(state, family) : undefined
  const accessToken = await issueAccessToken(state, family, resources, scope, request)
  return jsonAnswer({
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: settings.accessTokenSeconds,
    scope: scope.join(' '),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    id_token: await issueIdToken(state, client, family, accessToken, request),
  })
}

/** What is asked for, as far as the authorization allowed it (RFC 8707 section 2.2). */
function grantedResources(
  state: ProviderState,
  family: Family,
  request: ProviderRequest,
): readonly string[] | undefined {
  const asked = request.form.getAll('resource')
  if (asked.length === 0) return family.resources
  const allowed = (uri: string): boolean =>
    isResource(state, uri) && (family.resources.length === 0 || family.resources.includes(uri))
  return asked.every(allowed) ? asked : undefined
}

/** A second use tells that one of the two users is a thief (RFC 9700 section 4.14.2). */
function reuse(state: ProviderState, kind: Reuse['kind'], value: string, family: Family): Answer {
  family.revoked = true
  state.ledger.reused.push({ kind, value, clientId: family.clientId, at: state.now() })
  return invalidGrant('used before')
}

function invalidGrant(description: string): Answer {
  return refusal(400, 'invalid_grant', description)
}
