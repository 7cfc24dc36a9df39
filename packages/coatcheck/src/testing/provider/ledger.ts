import { randomBytes } from 'node:crypto'
import type { ProviderSession } from './sessions.ts'

/** Everything that descends from one authorization. It is revoked as a whole. */
export interface Family {
  readonly clientId: string
  readonly session: ProviderSession
  readonly scope: readonly string[]
  readonly resources: readonly string[]
  /** `offline_access` was granted: it outlives the session (Back-Channel Logout 2.7). */
  readonly offline: boolean
  readonly nonce: string | undefined
  readonly acr: string | undefined
  /** Seconds since the epoch. */
  readonly authTime: number
  revoked: boolean
}

/** One code, with what its exchange must repeat. */
export interface IssuedCode {
  readonly family: Family
  readonly redirectUri: string
  readonly challenge: string | undefined
  readonly expiresAt: number
  spent: boolean
}

/** One refresh token. */
export interface IssuedRefreshToken {
  readonly family: Family
  readonly expiresAt: number
  /** Another one took its place. */
  rotated: boolean
}

/** One access token, as an API would learn of it by introspection. */
export interface IssuedAccessToken {
  readonly family: Family
  readonly audience: readonly string[]
  readonly scope: readonly string[]
  readonly expiresAt: number
  revoked: boolean
}

/** One line of what was ever handed out. */
export interface Issued {
  readonly kind: 'code' | 'access_token' | 'refresh_token' | 'id_token' | 'logout_token'
  readonly value: string
  readonly clientId: string
  readonly sub: string
  readonly sid: string | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** A code or refresh token that came a second time. Its family was revoked. */
export interface Reuse {
  readonly kind: 'code' | 'refresh_token'
  readonly value: string
  readonly clientId: string
  readonly at: number
}

/** One accepted request to the revocation endpoint. */
export interface Revocation {
  readonly token: string
  readonly hint: string | undefined
  /** What it turned out to be. */
  readonly kind: 'refresh_token' | 'access_token' | 'unknown'
  readonly clientId: string
  readonly at: number
}

/** What the provider handed out, and what became of it. */
export interface Ledger {
  readonly families: Set<Family>
  /** Every ID token as it was sent and, where it was encrypted, as it was signed. */
  readonly idTokens: Map<string, Family>
  readonly codes: Map<string, IssuedCode>
  readonly refreshTokens: Map<string, IssuedRefreshToken>
  readonly accessTokens: Map<string, IssuedAccessToken>
  readonly issued: Issued[]
  readonly reused: Reuse[]
  readonly revoked: Revocation[]
  /** Notes that a value was handed out. */
  note(kind: Issued['kind'], value: string, family: Pick<Family, 'clientId' | 'session'>): void
}

/** Nothing was handed out yet. */
export function createLedger(now: () => number): Ledger {
  const issued: Issued[] = []
  return {
    families: new Set(),
    idTokens: new Map(),
    codes: new Map(),
    refreshTokens: new Map(),
    accessTokens: new Map(),
    issued,
    reused: [],
    revoked: [],
    note: (kind, value, { clientId, session: { sub, sid } }) => {
      issued.push({ kind, value, clientId, sub, sid, at: now() })
    },
  }
}

/** Whether a refresh token would be accepted. */
export function isLive(token: IssuedRefreshToken, now: number): boolean {
  return !token.rotated && !token.family.revoked && now < token.expiresAt
}

/** Whether an access token would be accepted. */
export function isActive(token: IssuedAccessToken, now: number): boolean {
  return !token.revoked && !token.family.revoked && now < token.expiresAt
}

/** A value nobody guesses, with a prefix that tells a reader what it is. */
export function opaque(prefix: string): string {
  return `${prefix}_${randomBytes(24).toString('base64url')}`
}
