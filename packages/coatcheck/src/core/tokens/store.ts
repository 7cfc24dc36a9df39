/** Either at once or later: a store in this process answers without a promise. */
export type MaybePromise<T> = T | Promise<T>

/** When something was established, in milliseconds since the epoch, by each of the two clocks. */
export interface Established {
  /** By the provider's clock: the `iat` of the ID token. */
  readonly provider: number
  /** By the store's clock ({@link TokenStore.now}): when the sign-in began here. */
  readonly here: number
}

/** One sealed record and all that a store may know of it. */
export interface StoredRecord {
  /** Ciphertext. A store never reads it; sealing anew never produces the same bytes. */
  readonly value: Uint8Array
  /**
   * Milliseconds since the epoch after which the record may be swept. To `get`, `insert`, `replace`
   * and `list` it is as if it were gone then; only what removes it still finds it, so that nothing
   * owed for it is lost.
   */
  readonly expiresAt: number
  /** What marks are compared with. */
  readonly established: Established
  /** Opaque keys under which {@link TokenStore.list} and {@link TokenStore.removeAll} find it. */
  readonly indexes: readonly string[]
}

/** A record and the opaque key it is kept under. */
export interface StoredEntry {
  readonly id: string
  readonly value: Uint8Array
}

/** A record to be written together with a removal. */
export interface Successor {
  readonly id: string
  readonly record: StoredRecord
}

/**
 * Turns what records held into what is still owed for them (revocations). The store calls it with
 * as many of them as it removes in one step and writes the answer in that very step, so that a
 * process which dies between the two loses no revocation. It must not wait, and may run more than
 * once for one record. Each successor's {@link anchorOf} is that of one of the removed records.
 */
export type Owe = (removed: readonly StoredEntry[]) => readonly Successor[]

/**
 * The part of an id that says where a record lives: ids are `anchor`, or `name/anchor`. Records of
 * one anchor can be written in one step even where a store is spread over several machines.
 */
export function anchorOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1)
}

/** "Everything established until then is signed out." */
export interface Mark {
  /** Which of the two times of a record it is compared with. */
  readonly clock: keyof Established
  /** Milliseconds since the epoch; what was established at this very time is signed out too. */
  readonly establishedUntil: number
  /** Until when the mark is kept: no session or sign-in under way lives longer. */
  readonly keepUntil: number
}

/** A mark and the index it is to be left on. */
export interface IndexMark {
  readonly index: string
  readonly mark: Mark
}

/** How {@link TokenStore.removeAll} goes about it. */
export interface Removal {
  readonly owe: Owe
  /** At most this many records in one step, so that nothing else is blocked for long. */
  readonly limit: number
  /**
   * Written before or with the first record that goes, unless all go in one step that cannot be
   * cut short: whoever finds it finishes.
   */
  readonly unfinished: Successor
  /**
   * Somebody began this removal before: what exists ends only where a mark covers it. Whoever
   * signed in since then stays.
   */
  readonly resumed: boolean
  /**
   * What the caller has listed of these indexes. Where a record that is removed still holds these
   * very bytes, a store may answer them instead of reading them again; any other may ignore it.
   */
  readonly known?: readonly StoredEntry[]
}

/** What one step of {@link TokenStore.removeAll} did. */
export interface RemovalStep {
  readonly removed: readonly StoredEntry[]
  /** Whether covered records remain: call again with the same arguments. */
  readonly more: boolean
}

/**
 * Where the token cache keeps its records: in memory, in an embedded database, on a server.
 *
 * A store sees ciphertext and opaque keys, never a token, a subject or a session. Every method is
 * required, and `testTokenStore` of `coatcheck/testing` is the contract. A method that cannot do
 * its work rejects; it never answers as if there were nothing.
 */
export interface TokenStore {
  /** The clock all processes that share this store agree on, in milliseconds since the epoch. */
  now(): MaybePromise<number>

  /**
   * The current bytes. Sees whatever any process finished writing before the call; never answered
   * from a replica that may lag. The caller must not change the bytes.
   *
   * `known`: what an earlier `get` of this id answered. A store that can tell, by the same
   * authoritative read, that it still holds these bytes may answer that very object instead of
   * reading them again; any other may ignore it.
   */
  get(id: string, known?: Uint8Array): MaybePromise<Uint8Array | undefined>

  /**
   * Adds a record. Refused (`false`, nothing written) where the id is taken, or where a mark on
   * one of its indexes covers it.
   */
  insert(id: string, record: StoredRecord): Promise<boolean>

  /**
   * Replaces a record only while it still holds `previous`. `false` means that it was refreshed
   * elsewhere, was signed out, or is covered by a mark on one of the indexes of `next`: nothing
   * was written. It is found under the indexes of `next` from then on.
   */
  replace(id: string, previous: Uint8Array, next: StoredRecord): Promise<boolean>

  /** Removes a record and returns what it held, to exactly one of any number of callers. */
  remove(id: string, owe?: Owe): Promise<Uint8Array | undefined>

  /**
   * Leaves all these marks and removes the records under their indexes that they cover: with the
   * clock `provider` those established until then, with the clock `here` all that exist. Every
   * process sees it when the promise resolves; it is durable when that of the last step does.
   */
  removeAll(marks: readonly IndexMark[], removal: Removal): Promise<RemovalStep>

  /** The records under an index, in the order of their ids, `limit` of them after the id `after`. */
  list(
    index: string,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<StoredEntry[]>

  /** `true` to exactly one caller until then (milliseconds since the epoch). */
  claim(key: string, until: number): Promise<boolean>

  /**
   * Removes expired marks and claims and up to `limit` expired records, and returns these: fewer
   * than `limit` only where no more have expired.
   */
  sweep(owe: Owe, limit: number): Promise<StoredEntry[]>

  /** Whether no record is kept, whoever's it is and however old. */
  isEmpty(): Promise<boolean>

  /** Ends what the store itself started. An injected client stays open. */
  close(): Promise<void>
}
