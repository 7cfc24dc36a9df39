import { AuthError } from '../../errors.ts'
import type { TokenSet } from './types.ts'

/** The answer as it came, with the ID token not yet checked. */
export type TokenAnswer = Omit<TokenSet, 'idToken'> & { readonly idToken: string | undefined }

/** For a provider that does not say how long an access token lives: the usual hour. */
const DEFAULT_LIFETIME_SECONDS = 3600
/** Nothing lives longer than ten years. */
const MAXIMUM_LIFETIME_SECONDS = 10 * 365 * 24 * 60 * 60

/**
 * Reads a good answer of the token endpoint (RFC 6749 section 5.1). Unknown members are ignored.
 * Throws `provider_invalid` where one that counts is missing or of the wrong kind.
 */
export function readTokenAnswer(answer: Record<string, unknown>, now: number): TokenAnswer {
  const { access_token, token_type, refresh_token, scope, id_token } = answer
  if (!isToken(access_token)) throw invalid('access_token')
  if (typeof token_type !== 'string' || token_type.toLowerCase() !== 'bearer') {
    throw invalid('token_type')
  }
  if (refresh_token !== undefined && !isToken(refresh_token)) throw invalid('refresh_token')
  if (scope !== undefined && typeof scope !== 'string') throw invalid('scope')
  if (id_token !== undefined && !isToken(id_token)) throw invalid('id_token')
  return {
    accessToken: access_token,
    tokenType: 'Bearer',
    expiresAt: now + lifetimeSeconds(answer['expires_in']) * 1000,
    scope,
    refreshToken: refresh_token,
    idToken: id_token,
  }
}

/** Visible ASCII (RFC 6749 appendix A), and so fit for a header. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x20-\x7e]+$/.test(value)
}

function lifetimeSeconds(value: unknown): number {
  if (value === undefined) return DEFAULT_LIFETIME_SECONDS
  const seconds = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0) {
    throw invalid('expires_in')
  }
  return Math.min(seconds, MAXIMUM_LIFETIME_SECONDS)
}

function invalid(member: string): AuthError {
  return new AuthError(
    'provider_invalid',
    `The token endpoint's ${member} is missing or malformed.`,
  )
}
