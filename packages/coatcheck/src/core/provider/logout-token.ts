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
import type { ProviderOptions } from './options.ts'
import { isJsonObject } from './strict-json.ts'
import type { LogoutToken, Provider } from './types.ts'

type LogoutTokenOptions = Pick<ProviderOptions, 'strictLogoutTokens' | 'logoutTokenAgeSeconds'>

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const DEFAULT_AGE_SECONDS = 24 * 60 * 60
/** How old a token without `exp` may be: three providers in use leave it out. */
const WITHOUT_EXPIRY_SECONDS = 5 * 60
const MAXIMUM_JTI = 1024

/** Back-Channel Logout 1.0 section 2.6, steps 1 to 7; the sessions are the caller's. */
export function createLogoutTokenVerifier(
  verifySignature: VerifySignature,
  rules: ClaimRules,
  options: LogoutTokenOptions,
): Pick<Provider, 'verifyLogoutToken'> {
  const kind: TokenKind = {
    origin: 'anybody',
    maximumLength: 16 * 1024,
    types: options.strictLogoutTokens ? ['logout+jwt'] : ['jwt', 'logout+jwt'],
    untyped: !options.strictLogoutTokens,
    refuse: invalid,
  }
  return {
    async verifyLogoutToken(jwt) {
      const { claims } = await verifySignature(jwt, kind)
      return readLogoutClaims(claims, rules, options)
    },
  }
}

/** The claims alone, their signature aside. Throws `logout_token_invalid`; late is an answer. */
function readLogoutClaims(
  claims: Readonly<Record<string, unknown>>,
  rules: ClaimRules,
  options: LogoutTokenOptions,
): LogoutToken {
  const { logoutTokenAgeSeconds = DEFAULT_AGE_SECONDS, strictLogoutTokens = false } = options
  checkParties(claims, rules, invalid)
  // With a nonce it could pass for an ID token, whatever the value.
  if ('nonce' in claims) throw invalid('it has a nonce')
  const { sub, sid, jti, exp } = claims
  if (sub === undefined && sid === undefined) throw invalid('sub and sid are both missing')
  if (sub !== undefined && !isSubject(sub)) throw invalid('sub is malformed')
  if (sid !== undefined && !isSid(sid)) throw invalid('sid is malformed')
  if (typeof jti !== 'string' || jti === '' || jti.length > MAXIMUM_JTI) {
    throw invalid('jti is missing or malformed')
  }
  const event = logoutEventOf(claims)
  const iat = checkIssuedAt(claims, logoutTokenAgeSeconds, rules, invalid)
  if (exp !== undefined && !isTime(exp)) throw invalid('exp is not a number')
  if (exp === undefined) {
    if (strictLogoutTokens) throw invalid('exp is missing')
    if (rules.now() - iat > WITHOUT_EXPIRY_SECONDS)
      throw invalid('exp is missing and iat is too old')
  }
  const end = Math.min(exp ?? iat + WITHOUT_EXPIRY_SECONDS, iat + logoutTokenAgeSeconds)
  return {
    issuer: rules.issuer,
    subject: sub,
    sid,
    jti,
    issuedAt: iat * 1000,
    expiresAt: (end + rules.clockSkewSeconds) * 1000,
    withoutExpiry: exp === undefined,
    revokeOfflineAccess: event['revoke_offline_access'] === true,
    late: exp !== undefined && hasPassed(exp, rules),
  }
}

/** Section 2.4: the member must be there itself, and be an object; what is in it may be unknown. */
function logoutEventOf(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { events } = claims
  if (!isJsonObject(events)) throw invalid('events is missing or not an object')
  const event = Object.hasOwn(events, LOGOUT_EVENT) ? events[LOGOUT_EVENT] : undefined
  if (event === undefined) throw invalid('events does not name a back-channel logout')
  if (!isJsonObject(event)) throw invalid('the logout event is not an object')
  return event
}

function invalid(rule: string): AuthError {
  return new AuthError('logout_token_invalid', `Logout token refused: ${rule}`)
}
