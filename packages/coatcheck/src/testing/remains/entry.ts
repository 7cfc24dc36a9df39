/** One raw entry of a store, as an administrator's dump would show it: where it is, and all its bytes. */
export interface RawEntry {
  /** For humans: where an administrator finds it again. It is searched too. */
  readonly place: string
  /** The key, where a store has one. */
  readonly key?: Uint8Array
  /** Everything else that there is. */
  readonly bytes: Uint8Array
  /** Where the reader takes it for a record of coatcheck's: one that cannot be opened is then told. */
  readonly record?: {
    readonly id: string
    /** Where in `bytes` the sealed text should begin. */
    readonly sealedAt: number
  }
  /** Where the reader takes it for a mark: it names an identity and leads nowhere, as it should. */
  readonly isMark?: boolean
  /**
   * A stretch of a file, in which may be what its store does not reach any more. Sealed texts in it
   * are counted; plain ones are remains like anywhere.
   */
  readonly isFile?: boolean
}

/**
 * All raw entries of a store. They are gone through several times, first for keyrings: an array will do,
 * and so will what the readers of this kit give, but not a generator, which is used up at once.
 */
export type RawContents = Iterable<RawEntry> | AsyncIterable<RawEntry>
