import { randomBytes } from 'node:crypto'
import type { TokenStore } from '#coatcheck'
import { systemEnvironment } from '#coatcheck/core/environment'
import { type SessionRecord, toStored } from '#coatcheck/core/session/record'
import { sessionIdOfTicket } from '#coatcheck/core/session/ticket'
import { createKeyring } from '#coatcheck/core/tokens/keyring'

/** Whose sessions they are. */
export interface Owner {
  readonly issuer: string
  readonly clientId: string
  readonly key: string
}

/** A session that nobody signed in for. */
export interface Planned {
  readonly subject: string
  readonly sid: string
  /** By all clocks. A minute ago, unless it comes after a sign-out. */
  readonly establishedAt?: number
}

const AT_ONCE = 500
const DAY = 86_400_000

/** Puts sessions into a store as sign-ins would have. Resolves with the bytes of their tokens. */
export async function populate(
  store: TokenStore,
  owner: Owner,
  sessions: Iterable<Planned>,
): Promise<number> {
  const vault = await createKeyring(store, [owner.key], systemEnvironment).load()
  let bytes = 0
  let batch: Promise<unknown>[] = []
  for (const planned of sessions) {
    const record = recordOf(owner, planned)
    const { idToken, refreshToken = '', accessTokens } = record
    bytes += idToken.length + refreshToken.length + (accessTokens[0]?.value.length ?? 0)
    const id = sessionIdOfTicket(randomBytes(32).toString('base64url'))
    batch.push(store.insert(id, toStored(vault, id, record, { lifetime: DAY, idle: DAY })))
    if (batch.length < AT_ONCE) continue
    await Promise.all(batch)
    batch = []
  }
  await Promise.all(batch)
  return bytes
}

function recordOf({ issuer, clientId }: Owner, planned: Planned): SessionRecord {
  const now = Date.now()
  const { subject, sid, establishedAt: before = now - 60_000 } = planned
  return {
    issuer,
    clientId,
    subject,
    sids: [sid],
    idToken: idTokenOf({ sub: subject, sid, name: 'Ada Lovelace', email: 'ada@example.com' }, 800),
    otherClaims: {},
    nonce: randomBytes(32).toString('base64url'),
    authTime: undefined,
    establishedAt: before,
    beganAt: before,
    browser: randomBytes(16).toString('base64url'),
    signedInAt: before,
    lastSeenAt: now,
    validatedAt: now,
    mustRevalidate: false,
    generation: 0,
    refreshToken: jwt(700),
    accessTokens: [
      {
        resource: undefined,
        askedScope: undefined,
        value: jwt(1_000),
        tokenType: 'bearer',
        expiresAt: now + 3_600_000,
        mintedAt: before,
        scope: 'openid profile',
        generation: 0,
      },
    ],
  }
}

/** Bytes that nothing compresses, cut out of one piece at any place: fresh ones cost more than all else. */
const randomPiece = randomBytes(2 ** 16)

function noise(bytes: number): Buffer {
  const at = Math.floor(Math.random() * (randomPiece.length - bytes))
  return randomPiece.subarray(at, at + bytes)
}

/** With so many bytes of claims. */
function idTokenOf(said: object, bytes: number): string {
  const room = bytes - JSON.stringify({ ...said, more: '' }).length
  return jwt(bytes, Buffer.from(JSON.stringify({ ...said, more: 'x'.repeat(room) })))
}

/** A text of the form and length that a signed JWT with so many bytes of claims has. */
function jwt(bytes: number, claims: Buffer = noise(bytes)): string {
  return [noise(54), claims, noise(256)].map((part) => part.toString('base64url')).join('.')
}
