import type { HasHeaders, Session } from '../../auth.ts'
import type { Context } from '../context.ts'
import { endSession } from '../sign-out/end-session.ts'
import { refreshSession } from '../tokens/refresh.ts'
import { isRevalidationDue, isRevalidationUnknown, learn } from '../tokens/revalidation.ts'
import { claimsOf } from './claims.ts'
import { readSession } from './read.ts'
import { expiryOf, type HeldSession, toStored } from './record.ts'
import { cookieName, handleOf, sessionIdOf } from './ticket.ts'

/** Who is signed in with this request; counts as the user's activity. */
export async function currentSession(
  context: Context,
  request: HasHeaders,
): Promise<HeldSession | undefined> {
  const id = sessionIdOf(request, cookieName(context.configuration))
  if (id === undefined) return undefined
  const held = await readSession(context, id)
  if (held === undefined) return undefined
  const seen = await touch(context, held)
  return seen && revalidate(context, seen)
}

/** What an application gets to see of a record. */
export function toSession(context: Context, { id, record }: HeldSession): Session {
  const sid = record.sids.at(-1)
  return {
    issuer: record.issuer,
    subject: record.subject,
    ...(sid !== undefined && { sid }),
    claims: claimsOf(record),
    establishedAt: record.establishedAt,
    expiresAt: expiryOf(record, context.configuration),
    handle: handleOf(id),
  }
}

/** Moves the idle limit, but seldom: most requests only read. */
async function touch(context: Context, held: HeldSession): Promise<HeldSession | undefined> {
  const { idle } = context.configuration
  const now = context.environment.now()
  if (now - held.record.lastSeenAt < Math.min(idle / 10, 60_000)) return held
  const vault = await context.keyring.load()
  const record = { ...held.record, lastSeenAt: now }
  const next = toStored(vault, held.id, record, context.configuration)
  if (await context.store.replace(held.id, held.bytes, next)) {
    return { id: held.id, bytes: next.value, record }
  }
  // Touched or refreshed elsewhere, or signed out: the store knows which.
  return readSession(context, held.id)
}

/** Asks a provider that never tells whether the session still stands. */
async function revalidate(context: Context, held: HeldSession): Promise<HeldSession | undefined> {
  if (!isRevalidationDue(context, held.record)) return held
  if (isRevalidationUnknown(context, held.record)) {
    const again = (await learn(context)) && isRevalidationDue(context, held.record)
    const now = await readSession(context, held.id)
    return again && now !== undefined ? revalidate(context, now) : now
  }
  if (held.record.refreshToken === undefined) {
    await endSession(context, held.id, 'not_revalidated')
    return undefined
  }
  const key = { resource: context.configuration.resources[0], askedScope: undefined }
  const outcome = await refreshSession(context, held, key)
  // Somebody else may be asking, or the provider be out of reach: its tokens expire by themselves.
  // But what was read before this wait is no longer news: a sign-out may have landed meanwhile.
  return outcome.kind === 'ended' ? undefined : readSession(context, held.id)
}
