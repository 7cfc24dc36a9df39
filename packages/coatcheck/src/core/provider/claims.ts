import type { Environment } from '../environment.ts'
import type { Refuse } from './jws.ts'
import type { ProviderOptions } from './options.ts'

/** What both kinds of tokens are measured against. */
export interface ClaimRules {
  readonly issuer: string
  readonly clientId: string
  readonly trustedAudiences: readonly string[]
  readonly clockSkewSeconds: number
  /** Seconds since the epoch, by our clock. */
  readonly now: () => number
}

type UncheckedClaims = Readonly<Record<string, unknown>>

const DEFAULT_CLOCK_SKEW_SECONDS = 60

/** The rules that follow from the options. */
export function claimRules(options: ProviderOptions, environment: Environment): ClaimRules {
  return {
    issuer: options.issuer,
    clientId: options.clientId,
    trustedAudiences: options.trustedAudiences ?? [],
    clockSkewSeconds: options.clockSkewSeconds ?? DEFAULT_CLOCK_SKEW_SECONDS,
    now: () => environment.now() / 1000,
  }
}

/** Core 3.1.3.7 (2) and (3): our provider, for us, and for nobody we do not trust. */
export function checkParties(claims: UncheckedClaims, rules: ClaimRules, refuse: Refuse): void {
  if (claims['iss'] !== rules.issuer) throw refuse('iss is not the issuer')
  const { aud } = claims
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audiences.includes(rules.clientId)) throw refuse('aud is not this client')
  for (const audience of audiences) {
    if (audience === rules.clientId) continue
    if (typeof audience !== 'string' || !rules.trustedAudiences.includes(audience)) {
      throw refuse('aud names an audience that is not trusted')
    }
  }
}

/**
 * Core 3.1.3.7 (10): when it was issued, in seconds since the epoch. Not after now, give or
 * take the clocks, and no further back than `maximumAgeSeconds`.
 */
export function checkIssuedAt(
  claims: UncheckedClaims,
  maximumAgeSeconds: number,
  rules: ClaimRules,
  refuse: Refuse,
): number {
  const { iat } = claims
  if (!isTime(iat)) throw refuse('iat is missing or not a number')
  if (iat > rules.now() + rules.clockSkewSeconds) throw refuse('iat lies in the future')
  if (iat < rules.now() - maximumAgeSeconds) throw refuse('iat is too old')
  return iat
}

/** Core 3.1.3.7 (9): whether `exp`, in seconds since the epoch, has passed for both clocks. */
export function hasPassed(exp: number, rules: ClaimRules): boolean {
  return exp + rules.clockSkewSeconds <= rules.now()
}

/** Core 2: at most 255 characters. Compared as it is, without any normalisation. */
export function isSubject(value: unknown): value is string {
  return isText(value) && value.length <= 255
}

/** A provider's name for its session is opaque (Back-Channel Logout 2.1). */
export function isSid(value: unknown): value is string {
  return isText(value) && value.length <= 1024
}

/** Seconds since the epoch, within what milliseconds can express exactly. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 1e12
}

/** Half a surrogate pair has no encoding: two such names would become one. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && !/\p{Cs}/u.test(value)
}
