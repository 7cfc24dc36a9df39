import type { Context } from '../context.ts'
import type { TokenSet } from '../provider/types.ts'
import { readSession } from '../session/read.ts'
import { isSameGrant, type SessionRecord } from '../session/record.ts'
import { oweRevocation } from '../sign-out/owed.ts'
import { sameBytes } from '../tokens/bytes.ts'
import type { StoredRecord } from '../tokens/store.ts'

/** A session whose ticket nobody got, since the store failed before the sign-in was through. */
export interface CutShort {
  readonly id: string
  readonly record: SessionRecord
  readonly set: TokenSet
  readonly expiresAt: number
  /** Store ids of the sessions it was to replace: they stay. */
  readonly earlier: Iterable<string>
}

/** What keeps an id from being taken. */
const NOBODY = Buffer.from([0])

/**
 * Makes sure that nobody's session is left, and has its tokens revoked. Nobody knows whether the
 * store has kept it, keeps it at this moment or will do so later: so its id is taken. May be
 * repeated as often as the store fails again.
 */
export async function takeBack(
  context: Context,
  { id, record, set, expiresAt, earlier }: CutShort,
): Promise<void> {
  await occupy(context, id, expiresAt)
  for (const one of earlier) {
    const held = await readSession(context, one)
    // Revoking on the same grant would take the tokens of the one that stays along.
    if (held !== undefined && isSameGrant(held.record, record)) return
  }
  await oweRevocation(context, set)
}

/** Whether a record only keeps an id from being taken. */
export function isNobody(value: Uint8Array): boolean {
  return sameBytes(value, NOBODY)
}

async function occupy({ store }: Context, id: string, expiresAt: number): Promise<void> {
  const nobody: StoredRecord = {
    value: NOBODY,
    expiresAt,
    established: { provider: 0, here: 0 },
    indexes: [],
  }
  for (;;) {
    if (await store.insert(id, nobody)) return
    const bytes = await store.get(id)
    if (bytes === undefined) continue
    if (isNobody(bytes) || (await store.replace(id, bytes, nobody))) return
  }
}
