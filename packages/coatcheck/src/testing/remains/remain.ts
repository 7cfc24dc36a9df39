/** What is left of somebody who was signed out. It shows no text that was looked for. */
export interface Remain {
  readonly kind: /** A session's record: its tokens can be deciphered. */
    | 'session'
    /** Tokens sealed until the provider has confirmed that they are revoked, a day at most. */
    | 'owed_revocation'
    /** Who it was, sealed until a place of the application has been told, a day at most. */
    | 'owed_place'
    /** A sign-out that somebody has yet to finish. */
    | 'unfinished_sign_out'
    /** Something that leads from an identity to a record, whether or not the record is there. */
    | 'index_entry'
    /** A record found by the identity, or of its session, that nobody here can decipher. */
    | 'undecipherable'
    /** One of the given texts, sealed in what is not known to be of these identities. */
    | 'sealed_text'
    /** One of the given texts, for everybody to read. */
    | 'plain_text'
    /** A subject or `sid`, for everybody to read. */
    | 'plain_name'
  /** Where: the entry's place, without any text that was looked for. */
  readonly place: string
  /** Positions in `identities`. */
  readonly identities: readonly number[]
  /** Positions in `texts`. */
  readonly texts: readonly number[]
  /** What that means, in a sentence. */
  readonly what: string
}

/** What may or may not be left of these identities: nobody could say. */
export interface Undecided {
  readonly kind: /** Sealed by a key that none of the keyrings found holds, or none that the given keys unwrap. */
    | 'unknown_key'
    /** A record in which no sealed text could be recognised. */
    | 'damaged'
    /** Tokens to be revoked that do not say whose they were; a receipt in `identities` tells. */
    | 'owed_revocation'
  readonly place: string
}

/** What was gone through: so that nothing found is not taken for nothing looked at. */
export interface Looked {
  readonly entries: number
  readonly bytes: number
  /** Different keyrings, and how many of them the given keys unwrap. */
  readonly keyrings: { readonly found: number; readonly unwrapped: number }
  /** Sealed texts that were deciphered, whoever they belong to. */
  readonly deciphered: number
  /** Those of them that belong to none of the identities. */
  readonly others: number
  /** Marks of the identities: what keeps a late callback out, and names nobody without the keys. */
  readonly marks: number
  /** Sealed texts of the identities in stretches of files: erased, perhaps, but not overwritten. */
  readonly inFiles: number
  /** Entries in which nothing of coatcheck's was recognised: searched for plain text all the same. */
  readonly notOurs: number
}

/** What {@link findRemains} found. */
export interface Remains {
  /**
   * `nothing_left` only where there was something to look at, every keyring in it was unwrapped and
   * nothing is undecided; otherwise, `not_judged`.
   */
  readonly verdict: 'nothing_left' | 'remains' | 'not_judged'
  readonly found: readonly Remain[]
  /** Of each kind at most a hundred; all are in {@link undecidedCount}. */
  readonly undecided: readonly Undecided[]
  readonly undecidedCount: Readonly<Record<Undecided['kind'], number>>
  readonly looked: Looked
}
