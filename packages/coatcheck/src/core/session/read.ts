import type { Context } from '../context.ts'
import { endSession } from '../sign-out/end-session.ts'
import { sameHome } from '../tokens/home.ts'
import { openSession } from './open.ts'
import { expiryOf, type HeldSession } from './record.ts'

/** The live session under an id: read from the store, opened, and within its limits. */
export async function readSession(context: Context, id: string): Promise<HeldSession | undefined> {
  const stored = context.store.get(id)
  const bytes = stored instanceof Promise ? await stored : stored
  if (bytes === undefined) return undefined
  const record = await openSession(context, id, bytes)
  // Somebody else's, who shares the store: nobody is signed in with it here.
  if (record === undefined || !sameHome(record, context.provider)) return undefined
  if (expiryOf(record, context.configuration) > context.environment.now()) {
    return { id, bytes, record }
  }
  await endSession(context, id, 'expired')
  return undefined
}
