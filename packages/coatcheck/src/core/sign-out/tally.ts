import { AuthError } from '../../errors.ts'
import type { SignOutReceipt } from '../../events.ts'
import type { Context } from '../context.ts'
import type { SessionRecord } from '../session/record.ts'
import { sessionIn } from '../session/sealed.ts'
import { handleOf, isSessionId } from '../session/ticket.ts'
import { sameHome } from '../tokens/home.ts'
import type { Owe, StoredEntry, Successor } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import type { Removed, SignOutOrder } from './order.ts'
import { toSuccessor } from './owed.ts'
import { type RevocableToken, tokensToRevoke } from './revocable.ts'

/** Keeps count of one removal while the store carries it out. */
export interface Tally {
  /**
   * What is owed for records, for the store to write in the step that removes them. Throws, so that
   * none goes, where one was sealed by a key that came after we looked at the keyring.
   */
  readonly owe: Owe
  /** It threw for that reason. */
  readonly isBehind: boolean
  /** Opens with these keys from now on; what the same ones do not open is unreadable. */
  readonly lookAgain: (vault: Vault) => void
  /** A record that was removed. */
  readonly count: (entry: StoredEntry) => void
  /** What came of it, once. Gives the records away: a store may hold on to `owe` for long. */
  readonly end: () => Removed
}

interface Found {
  readonly record: SessionRecord | undefined
  readonly revocable: readonly RevocableToken[]
}

/**
 * Has the store do one step of a removal, and looks at the keyring again where need be: keys are
 * rotated under us, and what nobody can read nobody would revoke.
 */
export async function inStep<T>(
  context: Context,
  tally: Tally,
  step: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await step()
    } catch (error) {
      if (!tally.isBehind) throw error
      tally.lookAgain(await context.keyring.reload())
    }
  }
}

/** Opens what is removed, once, to say what is owed for it and what the receipt shows. */
export function createTally(context: Context, vault: Vault, order: SignOutOrder): Tally {
  const { now } = context.environment
  /** What the store is about to remove, until it says that it has. */
  const found = new Map<string, Found & { owed: string | undefined }>()
  const sessions: string[] = []
  const records: SessionRecord[] = []
  const owed = new Set<string>()
  const tokens = { access: 0, refresh: 0, id: 0 }
  let revocations = 0
  let keys = vault
  let isNewest = false
  let isBehind = false
  let isOver = false

  function read({ id, value }: StoredEntry): SessionRecord | undefined {
    if (!isSessionId(id)) return undefined
    const opened = keys.open('session', id, value)
    if (opened.content !== undefined) return sessionIn(opened)
    if (!('reason' in opened) || opened.reason !== 'unknown_key' || isNewest) return undefined
    isBehind = true
    throw new AuthError('keys_unknown', 'A session was sealed by a key that came just now.')
  }

  function find(entry: StoredEntry): Found {
    const record = read(entry)
    if (record === undefined || order.revokeAt === undefined) return { record, revocable: [] }
    return { record, revocable: tokensToRevoke(record, now()) }
  }

  return {
    get isBehind() {
      return isBehind
    },

    lookAgain(next) {
      isNewest = next === keys
      isBehind = false
      keys = next
    },

    owe(removed) {
      const revocations: Revocation[] = []
      for (const entry of removed) {
        const { record, revocable } = find(entry)
        const revocation =
          record === undefined || revocable.length === 0
            ? undefined
            : revocationFor(revocations, record, `w.${order.id}/${entry.id}`)
        revocation?.tokens.push(...revocable)
        if (!isOver) found.set(entry.id, { record, revocable, owed: revocation?.id })
      }
      return revocations.map(({ id, home, tokens }): Successor => {
        const dueAt = order.revokeAt ?? now()
        const work = { kind: 'revocation', receipt: order.id, tokens, attempts: 0 } as const
        return toSuccessor(context, keys, home, id, { ...work, dueAt, owedSince: now() })
      })
    },

    count({ id }) {
      if (!isSessionId(id)) return
      const removed = found.get(id)
      found.delete(id)
      sessions.push(handleOf(id))
      if (removed?.record === undefined) {
        return context.emit({ type: 'record_unreadable', session: handleOf(id) })
      }
      const { record } = removed
      if (removed.owed !== undefined) owed.add(removed.owed)
      revocations += removed.revocable.length
      tokens.access += record.accessTokens.length
      tokens.refresh += record.refreshToken === undefined ? 0 : 1
      tokens.id += 1
      if (order.sessions.includes(id)) records.push(record)
    },

    end() {
      // A store may do it again much later, when nobody is there to look again.
      isNewest = true
      isOver = true
      found.clear()
      const { id, cause, named, providerSession, at } = order
      const receipt: SignOutReceipt = {
        id,
        cause,
        named,
        sessions,
        removed: sessions.length,
        tokens,
        revocationsOwed: revocations,
        providerSession,
        at,
        durationMilliseconds: Math.max(0, now() - at),
      }
      return { receipt, records: records.splice(0), owed: [...owed] }
    },
  }
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
