import type { SignOutReceipt } from '../../events.ts'
import type { Context } from '../context.ts'
import { openSessionNow } from '../session/open.ts'
import type { SessionRecord } from '../session/record.ts'
import { handleOf, isSessionId } from '../session/ticket.ts'
import type { Owe, StoredEntry } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import { toSuccessor } from './owed.ts'
import type { Removed, SignOutOrder } from './remove.ts'
import { tokensToRevoke } from './revocable.ts'

/** Keeps count of one removal while the store carries it out. */
export interface Tally {
  /** What is owed for a record, for the store to write in the step that removes it. */
  readonly owe: Owe
  /** A record that was removed. */
  readonly count: (entry: StoredEntry) => void
  readonly end: () => Removed
}

interface Opened {
  readonly record: SessionRecord | undefined
  /** Store id of its revocation. */
  readonly owed: string | undefined
  readonly tokens: number
}

/** Opens what is removed, once, to say what is owed for it and what the receipt shows. */
export function createTally(context: Context, vault: Vault, order: SignOutOrder): Tally {
  const opened = new Map<string, Opened>()
  const total = { sessions: [] as string[], access: 0, refresh: 0, id: 0, owed: [] as string[] }
  const records: SessionRecord[] = []
  let revocations = 0

  return {
    owe(entry) {
      const record = openSessionNow(vault, entry.id, entry.value)
      const tokens =
        record === undefined || order.revokeAt === undefined
          ? []
          : tokensToRevoke(record, context.environment.now())
      const successor =
        tokens.length === 0
          ? undefined
          : toSuccessor(context, vault, `w.${order.id}.${entry.id}`, {
              kind: 'revocation',
              receipt: order.id,
              tokens,
              attempts: 0,
              dueAt: order.revokeAt ?? 0,
              owedSince: context.environment.now(),
            })
      opened.set(entry.id, { record, owed: successor?.id, tokens: tokens.length })
      return successor
    },

    count({ id }) {
      if (!isSessionId(id)) return
      const { record, owed, tokens } = opened.get(id) ?? {
        record: undefined,
        owed: undefined,
        tokens: 0,
      }
      opened.delete(id)
      const handle = handleOf(id)
      total.sessions.push(handle)
      if (owed !== undefined) total.owed.push(owed)
      revocations += tokens
      if (record === undefined) return context.emit({ type: 'record_unreadable', session: handle })
      total.access += record.accessTokens.length
      total.refresh += record.refreshToken === undefined ? 0 : 1
      total.id += 1
      if (order.sessions.includes(id)) records.push(record)
    },

    end() {
      const { sessions, access, refresh, id, owed } = total
      const receipt: SignOutReceipt = {
        id: order.id,
        cause: order.cause,
        named: order.named,
        sessions,
        removed: sessions.length,
        tokens: { access, refresh, id },
        revocationsOwed: revocations,
        providerSession: order.providerSession,
        at: order.at,
        durationMilliseconds: Math.max(0, context.environment.now() - order.at),
      }
      return { receipt, records, owed }
    },
  }
}
