import type { Named, SignOutCause, SignOutReceipt } from '../../events.ts'
import type { EndedName } from '../../places.ts'
import type { SessionRecord } from '../session/record.ts'
import type { IndexMark } from '../tokens/store.ts'

/** What is to be removed, why, and what the provider shall hear. Survives a crash as JSON. */
export interface SignOutOrder {
  /** The receipt's. */
  readonly id: string
  readonly cause: SignOutCause
  readonly named: readonly Named[]
  /** Whom it names, for the application's places: they may hold what the store does not. */
  readonly names?: readonly EndedName[]
  /** Store ids of single sessions. */
  readonly sessions: readonly string[]
  readonly marks: readonly IndexMark[]
  /** From when on refresh and access tokens are revoked at the provider; absent: never. */
  readonly revokeAt?: number
  readonly providerSession: SignOutReceipt['providerSession']
  /** Nobody waits for its end, so what is owed to the application's places is left to the workers. */
  readonly inBackground?: boolean
  /** When it was heard. */
  readonly at: number
}

/** A receipt and what only the caller may know. */
export interface Removed {
  readonly receipt: SignOutReceipt
  /** Records of the order's single sessions that were still there. */
  readonly records: readonly SessionRecord[]
  /** Store ids of the revocations owed, for whoever can make them due. */
  readonly owed: readonly string[]
}
