import type { Context } from '../context.ts'
import { endSession } from '../sign-out/end-session.ts'
import { sameBytes } from '../tokens/bytes.ts'
import { sameHome } from '../tokens/home.ts'
import type { MaybePromise } from '../tokens/store.ts'
import { openSession } from './open.ts'
import { expiryOf, type HeldSession, type SessionRecord } from './record.ts'

/**
 * The live session under an id: read from the store, always, opened, and within its limits. No
 * promise where the store answers at once.
 */
export function readSession(context: Context, id: string): MaybePromise<HeldSession | undefined> {
  const bytes = context.store.get(id, context.openedSessions.bytesOf(id))
  return bytes instanceof Promise
    ? bytes.then((read) => toHeld(context, id, read))
    : toHeld(context, id, bytes)
}

function toHeld(
  context: Context,
  id: string,
  bytes: Uint8Array | undefined,
): MaybePromise<HeldSession | undefined> {
  const { keyring, openedSessions } = context
  if (bytes === undefined) {
    openedSessions.forget(id)
    return undefined
  }
  const { vault } = keyring
  const before = vault && openedSessions.find(id, bytes, vault)
  if (before !== undefined) return whileLive(context, id, bytes, before)
  const record = openSession(context, id, bytes)
  if (record instanceof Promise) return record.then((late) => confirm(context, id, bytes, late))
  if (record !== undefined && vault !== undefined) openedSessions.remember(id, bytes, vault, record)
  return whileLive(context, id, bytes, record)
}

/**
 * What was opened after a wait for the keyring, if it is still what the store holds. It is not
 * remembered, since nobody can say any more which vault opened it.
 */
async function confirm(
  context: Context,
  id: string,
  bytes: Uint8Array,
  record: SessionRecord | undefined,
): Promise<HeldSession | undefined> {
  if (record === undefined) return undefined
  const now = await context.store.get(id)
  return now !== undefined && sameBytes(now, bytes)
    ? whileLive(context, id, bytes, record)
    : toHeld(context, id, now)
}

function whileLive(
  context: Context,
  id: string,
  bytes: Uint8Array,
  record: SessionRecord | undefined,
): MaybePromise<HeldSession | undefined> {
  const { configuration, environment, provider } = context
  // Somebody else's, who shares the store: nobody is signed in with it here.
  if (record === undefined || !sameHome(record, provider)) return undefined
  if (expiryOf(record, configuration) > environment.now()) return { id, bytes, record }
  return endSession(context, id, 'expired').then(() => undefined)
}
