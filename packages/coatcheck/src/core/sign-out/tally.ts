import { AuthError } from '../../errors.ts'
import type { SignOutReceipt } from '../../events.ts'
import type { Context } from '../context.ts'
import { tokensInPartition } from '../session/partition.ts'
import type { SessionRecord } from '../session/record.ts'
import { sessionIn } from '../session/sealed.ts'
import { handleOf, isSessionId } from '../session/ticket.ts'
import { sameBytes } from '../tokens/bytes.ts'
import type { Owe, StoredEntry } from '../tokens/store.ts'
import type { Opened, Vault } from '../tokens/vault.ts'
import { type Batch, type Found, type ReadEntry, toBatch, whollyAmong } from './batch.ts'
import type { Removed, SignOutOrder } from './order.ts'
import { delayRevocations } from './owed.ts'
import { stillOwed } from './tell-places.ts'

/** Keeps count of one removal while the store carries it out. */
export interface Tally {
  /**
   * What is owed for records, for the store to write in the step that removes them. Throws, so that
   * none goes, where one was sealed by a key that came after we looked at the keyring.
   */
  readonly owe: Owe
  /**
   * Works out now what is owed for records that are likely to be removed next, so that the step
   * which removes them is short. `owe` uses it for these very bytes only, and is right without it.
   */
  readonly prepare: (likely: readonly StoredEntry[]) => void
  /** What was prepared and is not removed yet. */
  readonly likely: () => readonly StoredEntry[]
  /** From now on revocations are due a little later, since others are still to be removed. */
  readonly delayRevocations: () => void
  /** It threw for that reason. */
  readonly isBehind: boolean
  /** Opens with these keys from now on; what the same ones do not open is unreadable. */
  readonly lookAgain: (vault: Vault) => void
  /** A record that was removed. */
  readonly count: (entry: StoredEntry) => void
  /** Parts of the removal that places are to be told: each is in the store. */
  readonly toPlaces: Set<string>
  /** What came of it, once. Gives the records away: a store may hold on to `owe` for long. */
  readonly end: () => Removed
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

/**
 * Opens what is removed, once, to say what is owed for it and what the receipt shows. `seen` need
 * not be opened while it holds the same bytes.
 */
export function createTally(
  context: Context,
  vault: Vault,
  order: SignOutOrder,
  seen: readonly ReadEntry[] = [],
): Tally {
  let known = seen
  const { now } = context.environment
  /** What the store is about to remove, until it says that it has. */
  const found = new Map<string, Found>()
  const sessions: string[] = []
  const records: SessionRecord[] = []
  const owed = new Set<string>()
  const toPlaces = new Set<string>()
  const tokens = { access: 0, refresh: 0, id: 0 }
  let prepared: readonly Batch[] = []
  let revocations = 0
  let keys = vault
  let isNewest = false
  let isBehind = false
  let isOver = false
  let isLong = false

  function toBatchNow(entries: readonly ReadEntry[]): Batch {
    return toBatch(context, keys, isLong ? delayRevocations(order, now()) : order, entries)
  }

  function open({ id, value }: StoredEntry): Opened | undefined {
    return isSessionId(id) ? keys.open('session', id, value) : undefined
  }

  function read(entry: StoredEntry): ReadEntry {
    const before = known.find((one) => one.entry.id === entry.id)
    if (before !== undefined && sameBytes(before.entry.value, entry.value)) {
      return { entry, record: before.record }
    }
    const opened = open(entry)
    if (opened !== undefined && 'reason' in opened) {
      if (opened.reason !== 'unknown_key' || isNewest) return { entry, record: undefined }
      isBehind = true
      throw new AuthError('keys_unknown', 'A session was sealed by a key that came just now.')
    }
    return { entry, record: opened && sessionIn(opened) }
  }

  return {
    toPlaces,

    delayRevocations() {
      isLong = true
    },

    get isBehind() {
      return isBehind
    },

    lookAgain(next) {
      isNewest = next === keys
      isBehind = false
      keys = next
      prepared = []
    },

    prepare(likely) {
      const readable = likely.flatMap((entry): ReadEntry[] => {
        const opened = open(entry)
        // Of what cannot be read, `owe` has somebody look again.
        if (opened === undefined || 'reason' in opened) return []
        return [{ entry, record: sessionIn(opened) }]
      })
      const fresh: Batch[] = []
      for (let at = 0; at < readable.length && !isOver; at += TOGETHER) {
        fresh.push(toBatchNow(readable.slice(at, at + TOGETHER)))
      }
      prepared = [...prepared, ...fresh].slice(-MOST_PREPARED)
    },

    likely: () => prepared.flatMap((batch) => batch.found.map(({ entry }) => entry)),

    owe(removed) {
      const ready = whollyAmong(prepared, removed)
      prepared = prepared.filter((batch) => !ready.includes(batch))
      const isReady = new Set(ready.flatMap((batch) => batch.found.map(({ entry }) => entry.id)))
      const others = removed.filter(({ id }) => !isReady.has(id)).map(read)
      const batches = [...ready, toBatchNow(others)]
      if (!isOver) {
        for (const one of batches.flatMap((batch) => batch.found)) found.set(one.entry.id, one)
      }
      return batches.flatMap((batch) => batch.owed)
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
      if (removed.toPlaces !== undefined) toPlaces.add(removed.toPlaces)
      revocations += removed.revocable
      tokens.access += record.accessTokens.length
      tokens.refresh += record.refreshToken === undefined ? 0 : 1
      tokens.id += 1
      for (const { hint } of record.partition ? tokensInPartition(record.partition) : []) {
        tokens[hint === 'access_token' ? 'access' : 'refresh'] += 1
      }
      if (order.sessions.includes(id)) records.push(record)
    },

    end() {
      // A store may do it again much later, when nobody is there to look again.
      isNewest = true
      isOver = true
      found.clear()
      prepared = []
      known = []
      const { id, cause, named, providerSession, at } = order
      const receipt: SignOutReceipt = {
        id,
        cause,
        named,
        sessions,
        removed: sessions.length,
        tokens,
        revocationsOwed: revocations,
        places: stillOwed(context, toPlaces.size > 0),
        providerSession,
        at,
        durationMilliseconds: Math.max(0, now() - at),
      }
      return { receipt, records: records.splice(0), owed: [...owed] }
    },
  }
}

/** So many are prepared together, and only used together. */
const TOGETHER = 16
/** What was not removed after all is forgotten for what came later. */
const MOST_PREPARED = 64
