import type { Context } from '../context.ts'
import { endSession } from '../sign-out/end-session.ts'
import { openSession } from './open.ts'
import { expiryOf, type HeldSession } from './record.ts'

/** The live session under an id: read from the store, opened, and within its limits. */
export async function readSession(context: Context, id: string): Promise<HeldSession | undefined> {
  const stored = context.store.get(id)
  const bytes = stored instanceof Promise ? await stored : stored
  if (bytes === undefined) return undefined
  const record = await openSession(context, id, bytes)
  if (record === undefined) return undefined
  if (expiryOf(record, context.configuration) > context.environment.now()) {
    return { id, bytes, record }
  }
  await endSession(context, id, 'expired')
  return undefined
}
