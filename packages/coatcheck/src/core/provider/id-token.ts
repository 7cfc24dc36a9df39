import { createHash } from 'node:crypto'
import { AuthError } from '../../errors.ts'
import {
  type ClaimRules,
  checkIssuedAt,
  checkParties,
  hasPassed,
  isSid,
  isSubject,
  isTime,
} from './claims.ts'
import type { TokenKind, VerifySignature } from './jws.ts'
import type { Claims, RefreshExpectation, SignInExpectation, VerifiedIdToken } from './types.ts'

/** Checks an ID token that came together with this access token. Rejects `id_token_invalid`. */
export type VerifyIdToken = (jwt: string, accessToken: string) => Promise<VerifiedIdToken>

/** It comes straight from the token endpoint: one issued yesterday answers no request of today. */
const MAXIMUM_AGE_SECONDS = 24 * 60 * 60

const ID_TOKEN: TokenKind = {
  origin: 'answer',
  maximumLength: 64 * 1024,
  types: ['jwt'],
  untyped: true,
  refuse: invalid,
}

/** Every rule of OpenID Connect Core 3.1.3.7 that holds whatever was asked for. */
export function createIdTokenVerifier(
  algorithm: string,
  verifySignature: VerifySignature,
  rules: ClaimRules,
): VerifyIdToken {
  return async (jwt, accessToken) => {
    const { value, claims } = await verifySignature(jwt, ID_TOKEN)
    checkIdTokenClaims(claims, rules)
    checkAccessTokenHash(claims, accessToken, algorithm)
    const { sub, sid, iat } = claims as { sub: string; sid?: string; iat: number }
    return { value, subject: sub, sid, issuedAt: iat * 1000, claims: claims as Claims }
  }
}

/** The claims alone, their signature aside. Throws `id_token_invalid`. */
export function checkIdTokenClaims(
  claims: Readonly<Record<string, unknown>>,
  rules: ClaimRules,
): void {
  checkParties(claims, rules, invalid)
  const { azp, sub, sid, exp, auth_time } = claims
  // A logout token must never sign anybody in (Back-Channel Logout 4.1).
  if ('events' in claims) throw invalid('it has events: it is not an ID token')
  if (azp !== undefined && azp !== rules.clientId) throw invalid('azp is not this client')
  if (!isSubject(sub)) throw invalid('sub is missing or malformed')
  if (sid !== undefined && !isSid(sid)) throw invalid('sid is malformed')
  if (!isTime(exp)) throw invalid('exp is missing or not a number')
  if (hasPassed(exp, rules)) throw invalid('exp has passed')
  checkIssuedAt(claims, MAXIMUM_AGE_SECONDS, rules, invalid)
  if (auth_time !== undefined && !isTime(auth_time)) throw invalid('auth_time is not a number')
}

/** What the authorization request asked for: `nonce`, `max_age`, `acr_values` (3.1.3.7 (11)-(13)). */
export function checkSignIn(
  { claims }: Pick<VerifiedIdToken, 'claims'>,
  expect: SignInExpectation,
  rules: ClaimRules,
): void {
  const { nonce, auth_time, acr } = claims
  if (nonce !== expect.nonce) throw invalid('nonce is not the one that was sent')
  if (expect.maxAge !== undefined) {
    if (!isTime(auth_time)) throw invalid('auth_time is missing, and max_age was asked')
    const age = rules.now() - auth_time
    if (age > expect.maxAge + rules.clockSkewSeconds) throw invalid('auth_time is too old')
    if (age < -rules.clockSkewSeconds) throw invalid('auth_time lies in the future')
  }
  if (expect.acrValues.length > 0 && !expect.acrValues.some((wanted) => wanted === acr)) {
    throw invalid('acr is none of those that were asked')
  }
}

/**
 * A refreshed ID token speaks of the same sign-in (Core 12.2). Issuer and audience were checked;
 * `nonce` and `auth_time` are compared where both tokens have them.
 */
export function checkRefresh(
  { subject, claims }: Pick<VerifiedIdToken, 'subject' | 'claims'>,
  expect: RefreshExpectation,
): void {
  const { nonce, auth_time } = claims
  if (subject !== expect.subject) throw invalid('sub is another user than before')
  if (nonce !== undefined && expect.nonce !== undefined && nonce !== expect.nonce) {
    throw invalid('nonce is another one than before')
  }
  if (auth_time !== undefined && expect.authTime !== undefined && auth_time !== expect.authTime) {
    throw invalid('auth_time is another one than before')
  }
}

/** Core 3.1.3.6: half of the access token's hash, by the hash of the signature algorithm. */
function checkAccessTokenHash(
  claims: Readonly<Record<string, unknown>>,
  accessToken: string,
  algorithm: string,
): void {
  if (claims['at_hash'] === undefined) return
  const bits = /\d{3}$/.exec(algorithm)?.[0]
  // Ed25519 signs with SHA-512; its name also ends in three digits.
  const hash = algorithm.startsWith('Ed') || bits === undefined ? 'sha512' : `sha${bits}`
  const digest = createHash(hash).update(accessToken).digest()
  const expected = digest.subarray(0, digest.length / 2).toString('base64url')
  if (claims['at_hash'] !== expected) throw invalid('at_hash does not match the access token')
}

function invalid(rule: string): AuthError {
  return new AuthError('id_token_invalid', `ID token refused: ${rule}`)
}
