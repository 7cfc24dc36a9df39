import type { TokenSet, VerifiedIdToken } from '../provider/types.ts'
import {
  accountIndex,
  browserIndex,
  type Home,
  sidIndex,
  subjectIndex,
  subjectWithoutSidIndex,
} from '../tokens/home.ts'
import type { StoredRecord } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import { claimsBeside, claimsOf } from './claims.ts'
import type { Partition } from './partition.ts'
import { sealSession } from './sealed.ts'

/** Everything kept for one signed-in browser: one sealed record, found by its ticket's hash. */
export interface SessionRecord extends Home {
  readonly subject: string
  /** Every `sid` an ID token of this session carried (Core 12.2); any of them ends it. */
  readonly sids: readonly string[]
  /** What UserInfo and earlier ID tokens said, and this one does not (`claims.ts`). */
  readonly otherClaims: Readonly<Record<string, unknown>>
  /** The newest, for `id_token_hint`. */
  readonly idToken: string
  readonly nonce: string
  readonly authTime: number | undefined
  /** By the provider's clock: `iat` of the first ID token. */
  readonly establishedAt: number
  /** By the store's clock: when the browser was sent to the provider. */
  readonly beganAt: number
  /** What the sign-ins of one browser have in common: a sign-out there ends those under way. */
  readonly browser: string
  /** By our clock, like the times below. */
  readonly signedInAt: number
  readonly lastSeenAt: number
  /** When the provider last confirmed the session. */
  readonly validatedAt: number
  /** A late logout token came: ask the provider before the next token. */
  readonly mustRevalidate: boolean
  /** Grows with each refresh and with nothing else: what a refresh claims. */
  readonly generation: number
  readonly refreshToken: string | undefined
  readonly accessTokens: readonly KeptAccessToken[]
  /** What another library keeps of it, if one does: gone with the session, in the same step. */
  readonly partition?: Partition
}

/** One access token and what it was asked for. */
export interface KeptAccessToken {
  readonly resource: string | undefined
  /** As it was asked for: sorted, or `undefined` for the scope of the sign-in. */
  readonly askedScope: string | undefined
  readonly value: string
  readonly tokenType: string
  readonly expiresAt: number
  readonly mintedAt: number
  readonly scope: string | undefined
  /** Of the record, when it was added. */
  readonly generation: number
}

/** What an access token is asked for: never served for another key (RFC 8707). */
export interface TokenKey {
  readonly resource: string | undefined
  readonly askedScope: string | undefined
}

/** A record together with the exact bytes it was read from: what a replacement is compared with. */
export interface HeldSession {
  readonly id: string
  readonly bytes: Uint8Array
  readonly record: SessionRecord
}

/** How long sessions live, in milliseconds. */
export interface Limits {
  readonly lifetime: number
  readonly idle: number
}

/** The record as the store keeps it. */
export function toStored(
  vault: Vault,
  id: string,
  record: SessionRecord,
  limits: Limits,
): StoredRecord {
  const { subject, sids, partition } = record
  const bySid = sids.map((sid) => sidIndex(vault, record, sid))
  return {
    value: sealSession(vault, id, record),
    expiresAt: expiryOf(record, limits),
    established: { provider: record.establishedAt, here: record.beganAt },
    indexes: [
      subjectIndex(vault, record, subject),
      ...(bySid.length > 0 ? bySid : [subjectWithoutSidIndex(vault, record, subject)]),
      browserIndex(vault, record, record.browser),
      ...(partition?.accounts ?? []).map((account) => accountIndex(vault, record, account)),
    ],
  }
}

/**
 * Whether two sessions live on one grant of the provider, so that revoking the tokens of the one
 * would take those of the other along (keycloak#34234).
 */
export function isSameGrant(a: SessionRecord, b: SessionRecord): boolean {
  return a.issuer === b.issuer && a.subject === b.subject && a.sids.at(-1) === b.sids.at(-1)
}

/** When the record ends unless somebody comes: the nearer of the idle and the absolute limit. */
export function expiryOf(record: SessionRecord, { lifetime, idle }: Limits): number {
  return Math.min(record.signedInAt + lifetime, record.lastSeenAt + idle)
}

/** The kept token for this key, whatever its age. */
export function findAccessToken(record: SessionRecord, key: TokenKey): KeptAccessToken | undefined {
  return record.accessTokens.find((token) => isFor(token, key))
}

/** The record after the provider answered a refresh for `key`. */
export function withTokenSet(
  record: SessionRecord,
  set: TokenSet,
  key: TokenKey,
  now: number,
): SessionRecord {
  const generation = record.generation + 1
  const others = record.accessTokens.filter((token) => !isFor(token, key) && token.expiresAt > now)
  const idToken: VerifiedIdToken | undefined = set.idToken
  const sid = idToken?.sid
  return {
    ...record,
    generation,
    validatedAt: now,
    mustRevalidate: false,
    refreshToken: set.refreshToken ?? record.refreshToken,
    accessTokens: [...others, toKept(set, key, generation, now)],
    ...(idToken && {
      idToken: idToken.value,
      otherClaims: claimsBeside(idToken.value, { ...claimsOf(record), ...idToken.claims }),
    }),
    sids: sid === undefined || record.sids.includes(sid) ? record.sids : [...record.sids, sid],
  }
}

/** A token set's access token, as a record keeps it. */
export function toKept(
  set: TokenSet,
  key: TokenKey,
  generation: number,
  now: number,
): KeptAccessToken {
  return {
    resource: key.resource,
    askedScope: key.askedScope,
    value: set.accessToken,
    tokenType: set.tokenType,
    expiresAt: set.expiresAt,
    mintedAt: now,
    scope: set.scope,
    generation,
  }
}

function isFor(token: KeptAccessToken, key: TokenKey): boolean {
  return token.resource === key.resource && token.askedScope === key.askedScope
}
