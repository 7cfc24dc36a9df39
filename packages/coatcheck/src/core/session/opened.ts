import type { Environment } from '../environment.ts'
import { sameBytes } from '../tokens/bytes.ts'
import type { TokenStore } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import type { SessionRecord } from './record.ts'

/**
 * Sessions this process opened a moment ago, so that the same bytes need not be opened twice. It
 * answers only to who has just read these bytes from the store, so it cannot say that a session
 * stands; the store alone says that (decision 017).
 */
export interface OpenedSessions {
  /** The sealed bytes that were opened last: what the store is asked about. */
  bytesOf(id: string): Uint8Array | undefined
  /** What this vault opened before, if it was these very bytes. */
  find(id: string, bytes: Uint8Array, vault: Vault): SessionRecord | undefined
  remember(id: string, bytes: Uint8Array, vault: Vault, record: SessionRecord): void
  forget(id: string): void
  forgetAll(): void
}

/** What is not read again is forgotten after one to two of these, in milliseconds. */
const SPAN = 30_000
/** Of all sealed records that are remembered, in bytes; opened they take some three times that. */
const MOST_BYTES = 16 * 2 ** 20

interface Opened {
  readonly bytes: Uint8Array
  readonly vault: Vault
  readonly record: SessionRecord
}

/**
 * Remembers nothing yet. What was remembered is in one of two halves, and the older one is
 * forgotten as a whole: after a while, or as soon as the other is full. Reading a session does not
 * keep it there, so nothing opened stays longer than that, however often it is used.
 */
export function createOpenedSessions({ wait }: Pick<Environment, 'wait'>): OpenedSessions {
  let young = new Map<string, Opened>()
  let old = new Map<string, Opened>()
  let bytesOfYoung = 0
  let isWatching = false

  function turn(): void {
    old = young
    young = new Map()
    bytesOfYoung = 0
  }

  async function watch(): Promise<void> {
    while (young.size > 0 || old.size > 0) {
      await wait(SPAN)
      turn()
    }
    isWatching = false
  }

  function at(id: string): Opened | undefined {
    return young.get(id) ?? old.get(id)
  }

  return {
    bytesOf: (id) => at(id)?.bytes,

    find(id, bytes, vault) {
      const opened = at(id)
      if (opened === undefined || opened.vault !== vault) return undefined
      // A store may answer with the same object again.
      if (opened.bytes !== bytes && !sameBytes(opened.bytes, bytes)) return undefined
      return opened.record
    },

    remember(id, bytes, vault, record) {
      if (bytesOfYoung + bytes.length > MOST_BYTES / 2) turn()
      old.delete(id)
      young.set(id, { bytes: ownBytes(bytes), vault, record })
      bytesOfYoung += bytes.length
      if (isWatching) return
      isWatching = true
      void watch()
    },

    forget(id) {
      young.delete(id)
      old.delete(id)
    },

    forgetAll() {
      turn()
      turn()
    },
  }
}

/**
 * The store, whose removals are forgotten here with what they removed. Other processes' are when
 * somebody asks for the session again, and with time.
 */
export function forgetRemoved(store: TokenStore, opened: OpenedSessions): TokenStore {
  return {
    ...store,
    async remove(id, owe) {
      const removed = await store.remove(id, owe)
      opened.forget(id)
      return removed
    },
    async removeAll(marks, removal) {
      const step = await store.removeAll(marks, removal)
      for (const { id } of step.removed) opened.forget(id)
      return step
    },
    async sweep(owe, limit) {
      const removed = await store.sweep(owe, limit)
      for (const { id } of removed) opened.forget(id)
      return removed
    },
  }
}

/**
 * Not a small part of a driver's large buffer, which would stay with it. Where they are most of
 * theirs it is the very object that the store answered, which it may know again.
 */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength <= 2 * bytes.length ? bytes : Uint8Array.from(bytes)
}
