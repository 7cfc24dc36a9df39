import { createHmac, type KeyObject } from 'node:crypto'
import { sameBytes } from './bytes.ts'
import { type Packed, pack, unpack } from './packed.ts'
import { open, type Purpose, type SealKey, seal, sealedWith } from './seal.ts'

/** The secrets of one deployment, ready for use. */
export interface Secrets {
  /** Keys indexes; never changes while the store lives, so that rotation loses no sign-out. */
  readonly index: KeyObject
  /** The newest first: it seals, all open. */
  readonly seal: readonly SealKey[]
}

/** Seals records, opens them, and names what they are found by. Never waits. */
export interface Vault {
  seal(purpose: Purpose, name: string, content: unknown, tokens?: readonly string[]): Uint8Array
  /**
   * What was sealed, or why it cannot be read: by a key this process has not seen (`unknown_key`,
   * worth a look at the keyring), or `unreadable` for good.
   */
  open(purpose: Purpose, name: string, sealed: Uint8Array): Opened
  /** A keyed hash that is the same in every process: 128 bits, as 22 characters. */
  index(kind: IndexKind, ...parts: readonly string[]): string
}

/** The outcome of {@link Vault.open}. */
export type Opened =
  | Packed
  | {
      readonly content?: never
      readonly tokens?: never
      readonly reason: 'unknown_key' | 'unreadable'
    }

/** What records are found by. */
export type IndexKind =
  | 'sid'
  | 'subject'
  | 'subject_without_sid'
  | 'browser'
  | 'account'
  | 'owed'
  | 'logout_token'
  | 'refusal'
  | 'claim'

/** Whoever changed their provider has two of them. */
const MOST_OWED = 8

/** A vault over these secrets. `random` gives fresh nonces. */
export function createVault(secrets: Secrets, random: (length: number) => Uint8Array): Vault {
  const current = secrets.seal[0]
  if (current === undefined) throw new TypeError('A vault needs a key to seal with.')
  /** Names of a deployment's own, which everything that is owed asks for. */
  const owed = new Map<string, string>()

  function hash(text: string): string {
    return createHmac('sha256', secrets.index).update(text).digest().toString('base64url', 0, 16)
  }

  return {
    seal(purpose, name, content, tokens = []) {
      return seal(current, purpose, name, pack({ content, tokens }), random(12))
    },

    open(purpose, name, sealed) {
      const id = sealedWith(sealed)
      if (id === undefined) return { reason: 'unreadable' }
      const key = secrets.seal.find((one) => sameBytes(one.id, id))
      if (key === undefined) return { reason: 'unknown_key' }
      const plaintext = open(key.secret, purpose, name, sealed)
      if (plaintext === undefined) return { reason: 'unreadable' }
      return unpack(plaintext)
    },

    index(kind, ...parts) {
      // Each part is preceded by its length: no two lists of parts read alike.
      const text = parts.reduce((all, part) => `${all}\0${Buffer.byteLength(part)}:${part}`, kind)
      if (kind !== 'owed') return hash(text)
      const index = owed.get(text) ?? hash(text)
      if (owed.size < MOST_OWED) owed.set(text, index)
      return index
    },
  }
}
