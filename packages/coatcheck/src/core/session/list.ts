import type { SessionSummary } from '../../auth.ts'
import type { Context } from '../context.ts'
import { allUnder } from '../tokens/all-under.ts'
import { subjectIndex } from '../tokens/home.ts'
import { openSession } from './open.ts'
import { expiryOf } from './record.ts'
import { toSession } from './session.ts'

/** Every live session of a user, for "your devices" and administrators. */
export async function sessionsOf(context: Context, subject: string): Promise<SessionSummary[]> {
  const vault = await context.keyring.load()
  const found: SessionSummary[] = []
  for await (const { id, value: bytes } of allUnder(
    context,
    subjectIndex(vault, context.provider, subject),
  )) {
    const record = await openSession(context, id, bytes)
    if (record === undefined) continue
    if (expiryOf(record, context.configuration) <= context.environment.now()) continue
    const { claims: _, ...summary } = toSession(context, { id, bytes, record })
    found.push(summary)
  }
  return found
}
