import { createHash, randomUUID } from 'node:crypto'
import { importJWK } from 'jose'
import type { ProviderClient } from './clients.ts'
import type { ProviderRequest } from './exchange.ts'
import { signToken, type TokenDraft, type TokenEncryption, type TokenHeader } from './jwt.ts'
import { type Family, opaque } from './ledger.ts'
import { applyChanges, type ProviderState, seconds } from './state.ts'

/** Issues an access token for some resources, or for the provider itself where none is named. */
export async function issueAccessToken(
  state: ProviderState,
  family: Family,
  resources: readonly string[],
  scope: readonly string[],
  request: ProviderRequest,
): Promise<string> {
  const { ledger, settings } = state
  const iat = seconds(state)
  const audience = resources.length > 0 ? resources : [state.issuer]
  const draft: TokenDraft = {
    header: header(state, 'RS256', 'at+jwt'),
    claims: {
      iss: state.issuer,
      aud: audience.length === 1 ? audience[0] : audience,
      sub: family.session.sub,
      sid: family.session.sid,
      client_id: family.clientId,
      scope: scope.join(' '),
      iat,
      exp: iat + settings.accessTokenSeconds,
      jti: randomUUID(),
    },
  }
  await applyChanges(state, 'access_token', draft, request)
  const jwt = settings.accessTokens === 'jwt'
  const value = jwt ? (await signToken(draft, state.keys, undefined)).value : opaque('at')
  const expiresAt = state.now() + settings.accessTokenSeconds * 1000
  ledger.accessTokens.set(value, { family, audience, scope, expiresAt, revoked: false })
  ledger.note('access_token', value, family)
  return value
}

/** Issues the first refresh token of a family, or the next one. */
export function issueRefreshToken(state: ProviderState, family: Family): string {
  const value = opaque('rt')
  const expiresAt = state.now() + state.settings.refreshTokenSeconds * 1000
  state.ledger.refreshTokens.set(value, { family, expiresAt, rotated: false })
  state.ledger.note('refresh_token', value, family)
  return value
}

/** Issues an ID token (Core section 2). One that comes with a refresh has no nonce (Core 12.2). */
export async function issueIdToken(
  state: ProviderState,
  client: ProviderClient,
  family: Family,
  accessToken: string,
  request: ProviderRequest,
): Promise<string> {
  const iat = seconds(state)
  const alg = client.id_token_signed_response_alg
  const { name } = family.session.claims
  const draft: TokenDraft = {
    header: header(state, alg, undefined),
    claims: {
      iss: state.issuer,
      aud: client.client_id,
      sub: family.session.sub,
      sid: family.session.sid,
      iat,
      exp: iat + state.settings.idTokenSeconds,
      auth_time: family.authTime,
      acr: family.acr,
      nonce: request.grant === 'refresh_token' ? undefined : family.nonce,
      at_hash: leftHalf(alg, accessToken),
      name: family.scope.includes('profile') ? name : undefined,
    },
    encrypt: await encryptionFor(client),
  }
  await applyChanges(state, 'id_token', draft, request)
  const { value, signed } = await signToken(draft, state.keys, client.client_secret)
  state.ledger.idTokens.set(value, family).set(signed, family)
  state.ledger.note('id_token', value, family)
  return value
}

/** The header of a token signed with the key that is current for an algorithm. */
export function header(state: ProviderState, alg: string, typ: string | undefined): TokenHeader {
  const key = state.keys.find(alg) ?? state.keys.current
  const kid = state.keys.named && !alg.startsWith('HS') ? key.kid : undefined
  return { alg, kid, typ }
}

/** How tokens for a client are encrypted, where it registered that. */
export async function encryptionFor(client: ProviderClient): Promise<TokenEncryption | undefined> {
  const alg = client.id_token_encrypted_response_alg
  if (alg === undefined) return undefined
  const jwk = client.jwks?.keys.find((key) => key.use === 'enc')
  if (!jwk) throw new TypeError(`Client ${client.client_id} has no key with use: enc in its jwks`)
  const enc = client.id_token_encrypted_response_enc ?? 'A256GCM'
  return { key: await importJWK(jwk, alg), alg, enc }
}

function leftHalf(alg: string, value: string): string {
  const bits = /(256|384|512)$/.exec(alg)?.[1] ?? (alg === 'EdDSA' ? '512' : '256')
  const hash = createHash(`sha${bits}`).update(value).digest()
  return hash.subarray(0, hash.length / 2).toString('base64url')
}
