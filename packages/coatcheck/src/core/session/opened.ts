import type { Environment } from '../environment.ts'
import { createRecent } from '../recent.ts'
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

/** Of all sealed records that are remembered, in bytes; opened they take some three times that. */
const MOST_BYTES = 16 * 2 ** 20

interface Opened {
  readonly bytes: Uint8Array
  readonly vault: Vault
  readonly record: SessionRecord
}

/** Remembers nothing yet. */
export function createOpenedSessions(environment: Pick<Environment, 'wait'>): OpenedSessions {
  const recent = createRecent<Opened>(environment, { most: MOST_BYTES })

  return {
    bytesOf: (id) => recent.get(id)?.bytes,

    find(id, bytes, vault) {
      const opened = recent.get(id)
      if (opened === undefined || opened.vault !== vault) return undefined
      // A store may answer with the same object again.
      if (opened.bytes !== bytes && !sameBytes(opened.bytes, bytes)) return undefined
      return opened.record
    },

    remember(id, bytes, vault, record) {
      recent.set(id, { bytes: ownBytes(bytes), vault, record }, bytes.length)
    },

    forget: recent.delete,
    forgetAll: recent.clear,
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
