import { sessionIdOfHandle } from '../../core/session/ticket.ts'
import {
  type Home,
  sidIndex,
  subjectIndex,
  subjectWithoutSidIndex,
} from '../../core/tokens/home.ts'
import type { Vault } from '../../core/tokens/vault.ts'
import type { SignOutReceipt } from '../../events.ts'
import type { Ended } from '../../places.ts'
import { createNeedles } from './needles.ts'

/**
 * Whom a sign-out named: a user, a session of the provider, or one session here by its handle. A
 * receipt names all that its sign-out removed, and the revocations that it owes.
 */
export type SignedOut =
  | { readonly subject: string }
  | { readonly sid: string }
  | { readonly session: string }
  | { readonly receipt: SignOutReceipt }

/** How those who were signed out can be recognised. */
export interface Identities {
  /** Those that are named in plain: subjects and sids. Elsewhere in positions of the list given. */
  readonly names: readonly { readonly at: number; readonly name: string }[]
  /** Whose index stands in these bytes. */
  indexedIn(bytes: Uint8Array): number[]
  /** Whether this one is known by an index and not by subject or sid: a receipt tells no more. */
  readonly isKnownByIndex: (at: number) => boolean
  /** Whose session's id stands in these bytes. */
  sessionsIn(bytes: Uint8Array): number[]
  /** Whose record this is, by what it says. `text` may be cut short. */
  in(text: string, content: unknown): number[]
}

/** Those of one application: the same subject at another provider is somebody else. */
export function createIdentities(
  given: readonly SignedOut[],
  home: Home,
  vaults: readonly Vault[],
): Identities {
  const all = given.map((one) => traitsOf(one, home, vaults))
  const indexes = createNeedles(
    all.flatMap((traits, owner) => traits.indexes.map((bytes) => ({ owner, bytes }))),
  )
  const sessions = createNeedles(
    all.flatMap((traits, owner) => traits.sessions.map((bytes) => ({ owner, bytes }))),
  )

  return {
    names: all.flatMap(({ subject, sid }, at) =>
      [subject, sid].flatMap((name) => (name === undefined ? [] : { at, name })),
    ),
    indexedIn: indexes.ownersIn,
    isKnownByIndex: (at) => all[at]?.receipt !== undefined,
    sessionsIn: sessions.ownersIn,
    in(text, content) {
      const named = all.flatMap(({ subject, sid, receipt }, at) => {
        const isTheirs = isAtHome(text, content, home) && isOf(text, content, subject, sid)
        return isTheirs || isOfReceipt(text, receipt) ? [at] : []
      })
      const bytes = Buffer.from(text)
      const ended = endedIn(content) === undefined ? [] : sessions.ownersIn(bytes)
      return [...named, ...ended, ...indexes.ownersIn(bytes)]
    },
  }
}

interface Traits {
  readonly subject?: string
  readonly sid?: string
  /** The receipt's id. */
  readonly receipt?: string
  /** In every form in which a store may keep one. */
  readonly indexes: readonly Buffer[]
  readonly sessions: readonly Buffer[]
}

function traitsOf(one: SignedOut, home: Home, vaults: readonly Vault[]): Traits {
  if ('subject' in one) {
    const { subject } = one
    const indexes = vaults.flatMap((vault) => [
      subjectIndex(vault, home, subject),
      subjectWithoutSidIndex(vault, home, subject),
    ])
    return { subject, indexes: indexes.flatMap(formsOf), sessions: [] }
  }
  if ('sid' in one) {
    const { sid } = one
    const indexes = vaults.map((vault) => sidIndex(vault, home, sid))
    return { sid, indexes: indexes.flatMap(formsOf), sessions: [] }
  }
  if ('session' in one) return { indexes: [], sessions: formsOfHandle(one.session) }
  const { id, named, sessions } = one.receipt
  const indexes = named.flatMap(({ by, reference }) => (by === 'session' ? [] : reference))
  return {
    receipt: id,
    indexes: indexes.flatMap(formsOf),
    sessions: sessions.flatMap(formsOfHandle),
  }
}

/** Indexes and handles are base64url; a store that saves space keeps the bytes they stand for. */
function formsOf(name: string): Buffer[] {
  const bytes = Buffer.from(name, 'base64url')
  return [Buffer.from(name), bytes, Buffer.from(bytes.toString('hex'))]
}

function formsOfHandle(handle: string): Buffer[] {
  const [, ...others] = formsOf(handle)
  return [Buffer.from(sessionIdOfHandle(handle)), Buffer.from(handle), ...others]
}

function isOfReceipt(text: string, receipt: string | undefined): boolean {
  return receipt !== undefined && text.includes(`"receipt":${JSON.stringify(receipt)}`)
}

/** Unless it says another issuer or client; what is cut short may not have come to it. */
function isAtHome(text: string, content: unknown, { issuer, clientId }: Home): boolean {
  if (isObject(content)) return content['issuer'] === issuer && content['clientId'] === clientId
  const [ours, client] = [JSON.stringify(issuer), JSON.stringify(clientId)]
  const said = beginningOf(text)
  return (said.issuer ?? ours) === ours && (said.clientId ?? client) === client
}

function isOf(text: string, content: unknown, subject?: string, sid?: string): boolean {
  const ended = endedIn(content)
  if (ended !== undefined) {
    const all = [...ended.named, ...ended.sessions]
    return all.some(
      (one) =>
        (subject !== undefined && one.subject === subject) ||
        (sid !== undefined && one.sid === sid),
    )
  }
  if (isObject(content)) {
    const { sids } = content
    return (
      (subject !== undefined && content['subject'] === subject) ||
      (sid !== undefined && Array.isArray(sids) && sids.includes(sid))
    )
  }
  const said = beginningOf(text)
  return (
    (subject !== undefined && said.subject === JSON.stringify(subject)) ||
    (sid !== undefined && (said.sids ?? '').includes(JSON.stringify(sid)))
  )
}

/** Of whom a place is to be told. */
function endedIn(content: unknown): Ended | undefined {
  const isOwedPlace = isObject(content) && content['kind'] === 'place'
  return isOwedPlace ? (content['ended'] as Ended) : undefined
}

const TEXT = '"(?:[^"\\\\]|\\\\.)*"'
/** As `core/session/sealed.ts` lists it, and each as JSON. */
const BEGINNING = new RegExp(
  `^\\{"content":\\[(?<issuer>${TEXT})` +
    `(?:,(?<clientId>${TEXT})(?:,(?<subject>${TEXT})(?:,\\[(?<sids>[^\\]]*))?)?)?`,
)

/** What a sealed session that is cut short says of whose it is, as far as it comes to it. */
function beginningOf(
  text: string,
): Partial<Record<'issuer' | 'clientId' | 'subject' | 'sids', string>> {
  return BEGINNING.exec(text)?.groups ?? {}
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
