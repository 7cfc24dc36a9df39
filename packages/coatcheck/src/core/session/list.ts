import type { SessionSummary } from '../../auth.ts'
import type { Context } from '../context.ts'
import { allUnder } from '../tokens/all-under.ts'
import { openSession } from './open.ts'
import { expiryOf } from './record.ts'
import { toSession } from './session.ts'

/** Every live session of a user, for "your devices" and administrators. */
export async function sessionsOf(
  context: Context,
  issuer: string,
  subject: string,
): Promise<SessionSummary[]> {
  const vault = await context.keyring.load()
  const found: SessionSummary[] = []
  for await (const { id, value: bytes } of allUnder(
    context,
    vault.index('subject', issuer, subject),
  )) {
    const record = await openSession(context, id, bytes)
    if (record === undefined) continue
    if (expiryOf(record, context.configuration) <= context.environment.now()) continue
    const { claims: _, ...summary } = toSession(context, { id, bytes, record })
    found.push(summary)
  }
  return found
}
