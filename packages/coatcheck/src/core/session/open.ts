import type { Context } from '../context.ts'
import type { SessionRecord } from './record.ts'
import { sessionIn } from './sealed.ts'
import { handleOf } from './ticket.ts'

/** What sealed bytes say, or nothing where they are truncated, tampered with or another's. */
export async function openSession(
  context: Context,
  id: string,
  bytes: Uint8Array,
): Promise<SessionRecord | undefined> {
  let vault = context.keyring.vault ?? (await context.keyring.load())
  let opened = vault.open('session', id, bytes)
  if ('reason' in opened && opened.reason === 'unknown_key') {
    vault = await context.keyring.reload()
    opened = vault.open('session', id, bytes)
  }
  if (opened.content !== undefined) return sessionIn(opened)
  context.emit({ type: 'record_unreadable', session: handleOf(id) })
  return undefined
}
