import type { Context } from '../context.ts'
import type { SessionRecord } from '../session/record.ts'
import { sameBytes } from '../tokens/bytes.ts'
import { sameHome } from '../tokens/home.ts'
import type { StoredEntry, Successor } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import type { SignOutOrder } from './order.ts'
import { toSuccessor } from './owed.ts'
import { oweToPlaces } from './owed-places.ts'
import { type RevocableToken, tokensToRevoke } from './revocable.ts'

/** A record that is about to be removed: what was in it, and what is owed for it. */
export interface Found {
  readonly entry: StoredEntry
  /** Nothing where it is no session or cannot be read. */
  readonly record: SessionRecord | undefined
  /** How many of its tokens the provider is to revoke. */
  readonly revocable: number
  /** Store id of the revocation that they are in. */
  readonly owed: string | undefined
  /** Which part of what is owed to the places it is in. */
  readonly toPlaces: string | undefined
}

/** Records that are removed in one step, and what is owed for them together. */
export interface Batch {
  readonly found: readonly Found[]
  readonly owed: readonly Successor[]
}

/** What was read of a record. */
export type ReadEntry = Pick<Found, 'entry' | 'record'>

/** Works out what is owed for records: all that an order owes for a session begins here. */
export function toBatch(
  context: Context,
  vault: Vault,
  order: SignOutOrder,
  entries: readonly ReadEntry[],
): Batch {
  const { now } = context.environment
  const revocations: Revocation[] = []
  const forPlaces = oweToPlaces(context, vault, order, entries)

  const found = entries.map(({ entry, record }): Found => {
    const toPlaces = forPlaces.parts.get(entry.id)
    const tokens =
      record === undefined || order.revokeAt === undefined ? [] : tokensToRevoke(record, now())
    if (record === undefined || tokens.length === 0) {
      return { entry, record, revocable: 0, owed: undefined, toPlaces }
    }
    const revocation = revocationFor(revocations, record, `w.${order.id}/${entry.id}`)
    revocation.tokens.push(...tokens)
    return { entry, record, revocable: tokens.length, owed: revocation.id, toPlaces }
  })

  const owed = revocations.map(({ id, home, tokens }) => {
    const dueAt = order.revokeAt ?? now()
    const work = { kind: 'revocation', receipt: order.id, tokens, attempts: 0 } as const
    return toSuccessor(context, vault, home, id, { ...work, dueAt, owedSince: now() })
  })
  return { found, owed: [...owed, ...forPlaces.owed] }
}

/** Those of the batches whose records are all among these, and hold what they held. */
export function whollyAmong(
  batches: readonly Batch[],
  removed: readonly StoredEntry[],
): readonly Batch[] {
  if (batches.length === 0) return []
  const values = new Map(removed.map(({ id, value }) => [id, value]))
  const isThere = ({ entry }: Found): boolean => {
    const value = values.get(entry.id)
    return value !== undefined && sameBytes(value, entry.value)
  }
  return batches.filter(({ found }) => found.every(isThere))
}

/** Tokens of sessions of one home, to be revoked together. */
interface Revocation {
  /** Named after the first of the sessions. */
  readonly id: string
  readonly home: SessionRecord
  readonly tokens: RevocableToken[]
}

/**
 * With so many tokens a revocation takes no more sessions: workers look through what is owed a page
 * at a time, and one who dies in the middle of an attempt leaves it to be done again.
 */
const MANY = 16

/** What the tokens of a session go into. */
function revocationFor(revocations: Revocation[], home: SessionRecord, id: string): Revocation {
  const open = revocations.findLast((one) => sameHome(one.home, home) && one.tokens.length < MANY)
  if (open !== undefined) return open
  const fresh: Revocation = { id, home, tokens: [] }
  revocations.push(fresh)
  return fresh
}
