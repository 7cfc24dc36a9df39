import type { SignOutReceipt } from '../../events.ts'
import type { Context } from '../context.ts'
import { openSessionNow } from '../session/open.ts'
import type { SessionRecord } from '../session/record.ts'
import { handleOf, isSessionId } from '../session/ticket.ts'
import type { Owe, StoredEntry } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import type { Removed, SignOutOrder } from './order.ts'
import { toSuccessor } from './owed.ts'
import { tokensToRevoke } from './revocable.ts'

/** Keeps count of one removal while the store carries it out. */
export interface Tally {
  /** What is owed for a record, for the store to write in the step that removes it. */
  readonly owe: Owe
  /** A record that was removed. */
  readonly count: (entry: StoredEntry) => void
  readonly end: () => Removed
}

interface Found {
  readonly record: SessionRecord | undefined
  /** Store id of its revocation. */
  readonly owed: string | undefined
  /** How many tokens that revokes. */
  readonly revocations: number
}

/** Opens what is removed, once, to say what is owed for it and what the receipt shows. */
export function createTally(context: Context, vault: Vault, order: SignOutOrder): Tally {
  const { now } = context.environment
  /** What the store is about to remove, until it says that it has. */
  const found = new Map<string, Found>()
  const sessions: string[] = []
  const records: SessionRecord[] = []
  const owed: string[] = []
  const tokens = { access: 0, refresh: 0, id: 0 }
  let revocations = 0

  return {
    owe({ id, value }) {
      const record = openSessionNow(vault, id, value)
      const { revokeAt } = order
      const revocable =
        record === undefined || revokeAt === undefined ? [] : tokensToRevoke(record, now())
      if (record === undefined || revokeAt === undefined || revocable.length === 0) {
        found.set(id, { record, owed: undefined, revocations: 0 })
        return undefined
      }
      const successor = toSuccessor(context, vault, record, `w.${order.id}.${id}`, {
        kind: 'revocation',
        receipt: order.id,
        tokens: revocable,
        attempts: 0,
        dueAt: revokeAt,
        owedSince: now(),
      })
      found.set(id, { record, owed: successor.id, revocations: revocable.length })
      return successor
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
      if (removed.owed !== undefined) owed.push(removed.owed)
      revocations += removed.revocations
      tokens.access += record.accessTokens.length
      tokens.refresh += record.refreshToken === undefined ? 0 : 1
      tokens.id += 1
      if (order.sessions.includes(id)) records.push(record)
    },

    end() {
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
      return { receipt, records, owed }
    },
  }
}
