import type { Packed } from '../tokens/packed.ts'
import type { Vault } from '../tokens/vault.ts'
import type { KeptAccessToken, SessionRecord } from './record.ts'

/*
 * A session is sealed as a list: the names of its fields would take more room than what they say.
 * Its tokens are the access tokens, the ID token, and the refresh token where there is one.
 */

/** Whatever changes here raises the format in `../tokens/seal.ts`. */
type Content = readonly [
  issuer: string,
  clientId: string,
  subject: string,
  sids: readonly string[],
  nonce: string,
  authTime: number | null,
  establishedAt: number,
  beganAt: number,
  browser: string,
  signedInAt: number,
  lastSeenAt: number,
  validatedAt: number,
  mustRevalidate: boolean,
  generation: number,
  otherClaims: SessionRecord['otherClaims'],
  accessTokens: readonly AccessTokenContent[],
]

/** With what came later than the format: most sessions have none, and leave it out. */
type FullContent = readonly [
  ...Content,
  partition?: readonly [accounts: readonly string[], cache: string],
]

type AccessTokenContent = readonly [
  resource: string | null,
  askedScope: string | null,
  tokenType: string,
  expiresAt: number,
  mintedAt: number,
  scope: string | null,
  generation: number,
]

/** A record as it is sealed. */
export function sealSession(vault: Vault, id: string, record: SessionRecord): Uint8Array {
  const { accessTokens, idToken, refreshToken, partition } = record
  const content: Content = [
    record.issuer,
    record.clientId,
    record.subject,
    record.sids,
    record.nonce,
    record.authTime ?? null,
    record.establishedAt,
    record.beganAt,
    record.browser,
    record.signedInAt,
    record.lastSeenAt,
    record.validatedAt,
    record.mustRevalidate,
    record.generation,
    record.otherClaims,
    accessTokens.map(toContent),
  ]
  const tokens = [...accessTokens.map(({ value }) => value), idToken]
  if (refreshToken !== undefined) tokens.push(refreshToken)
  const full: FullContent =
    partition === undefined ? content : [...content, [partition.accounts, partition.cache]]
  return vault.seal('session', id, full, tokens)
}

/** The record in what was sealed. */
export function sessionIn({ content, tokens }: Packed): SessionRecord {
  const all = content as FullContent
  const [accessTokens, partition] = [all[15], all[16]]
  return {
    issuer: all[0],
    clientId: all[1],
    subject: all[2],
    sids: all[3],
    nonce: all[4],
    authTime: all[5] ?? undefined,
    establishedAt: all[6],
    beganAt: all[7],
    browser: all[8],
    signedInAt: all[9],
    lastSeenAt: all[10],
    validatedAt: all[11],
    mustRevalidate: all[12],
    generation: all[13],
    otherClaims: all[14],
    accessTokens: accessTokens.map((kept, at) => toAccessToken(kept, tokens[at] ?? '')),
    idToken: tokens[accessTokens.length] ?? '',
    refreshToken: tokens[accessTokens.length + 1],
    ...(partition && { partition: { accounts: partition[0], cache: partition[1] } }),
  }
}

function toContent(token: KeptAccessToken): AccessTokenContent {
  const { resource, askedScope, tokenType, expiresAt, mintedAt, scope, generation } = token
  const [from, asked, granted] = [resource ?? null, askedScope ?? null, scope ?? null]
  return [from, asked, tokenType, expiresAt, mintedAt, granted, generation]
}

function toAccessToken(kept: AccessTokenContent, value: string): KeptAccessToken {
  const [resource, askedScope, tokenType, expiresAt, mintedAt, scope, generation] = kept
  return {
    resource: resource ?? undefined,
    askedScope: askedScope ?? undefined,
    value,
    tokenType,
    expiresAt,
    mintedAt,
    scope: scope ?? undefined,
    generation,
  }
}
