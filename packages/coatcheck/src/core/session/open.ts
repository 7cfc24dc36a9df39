import type { Context } from '../context.ts'
import type { MaybePromise } from '../tokens/store.ts'
import type { Opened, Vault } from '../tokens/vault.ts'
import type { SessionRecord } from './record.ts'
import { sessionIn } from './sealed.ts'
import { handleOf } from './ticket.ts'

/** What sealed bytes say, or nothing where they are truncated, tampered with or another's. */
export function openSession(
  context: Context,
  id: string,
  bytes: Uint8Array,
): MaybePromise<SessionRecord | undefined> {
  const { vault } = context.keyring
  if (vault === undefined) return openLater(context, id, bytes, context.keyring.load())
  const opened = vault.open('session', id, bytes)
  return isUnknownKey(opened)
    ? openLater(context, id, bytes, context.keyring.reload())
    : toRecord(context, id, opened)
}

/** The keyring has to be read first. */
async function openLater(
  context: Context,
  id: string,
  bytes: Uint8Array,
  loading: Promise<Vault>,
): Promise<SessionRecord | undefined> {
  let opened = (await loading).open('session', id, bytes)
  if (isUnknownKey(opened)) {
    opened = (await context.keyring.reload()).open('session', id, bytes)
  }
  return toRecord(context, id, opened)
}

function isUnknownKey(opened: Opened): boolean {
  return 'reason' in opened && opened.reason === 'unknown_key'
}

function toRecord(context: Context, id: string, opened: Opened): SessionRecord | undefined {
  if (opened.content !== undefined) return sessionIn(opened)
  context.emit({ type: 'record_unreadable', session: handleOf(id) })
  return undefined
}
