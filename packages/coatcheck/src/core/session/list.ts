import type { SessionSummary } from '../../auth.ts'
import type { Context } from '../context.ts'
import { allUnder } from '../tokens/all-under.ts'
import { subjectIndex } from '../tokens/home.ts'
import { openSession } from './open.ts'
import { readSession } from './read.ts'
import { expiryOf, type HeldSession } from './record.ts'
import { toSession } from './session.ts'
import { isHandle, sessionIdOfHandle } from './ticket.ts'

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
    found.push(summaryOf(context, { id, bytes, record }))
  }
  return found
}

/** The live session with this handle, if there is one. Throws a `TypeError` for what is no handle. */
export async function sessionsBy(context: Context, handle: string): Promise<SessionSummary[]> {
  if (typeof handle !== 'string' || !isHandle(handle)) {
    throw new TypeError('`session` must be the `handle` of a session, not a cookie or a ticket.')
  }
  const held = await readSession(context, sessionIdOfHandle(handle))
  return held === undefined ? [] : [summaryOf(context, held)]
}

function summaryOf(context: Context, held: HeldSession): SessionSummary {
  const { claims: _, ...summary } = toSession(context, held)
  return summary
}
