import type { HasHeaders, Session } from '../../auth.ts'
import type { Context } from '../context.ts'
import { endSession } from '../sign-out/end-session.ts'
import { refreshSession } from '../tokens/refresh.ts'
import { isRevalidationDue, isRevalidationUnknown, learn } from '../tokens/revalidation.ts'
import type { MaybePromise } from '../tokens/store.ts'
import { readSession } from './read.ts'
import { expiryOf, type HeldSession, type SessionRecord, toStored } from './record.ts'
import { handleOf } from './ticket.ts'

/** Who is signed in with this request; counts as the user's activity. */
export function currentSession(
  context: Context,
  request: HasHeaders,
): MaybePromise<HeldSession | undefined> {
  const asItIs = (held: HeldSession | undefined): HeldSession | undefined => held
  return ofSession(context, request, asItIs, asItIs)
}

/**
 * Answers by the session of a request, which counts as the user's activity: `atOnce` where nothing
 * is due for it, otherwise `afterWaiting`, by when the provider may have been asked.
 */
export function ofSession<T>(
  context: Context,
  request: HasHeaders,
  atOnce: (held: HeldSession | undefined) => MaybePromise<T>,
  afterWaiting: (held: HeldSession | undefined) => MaybePromise<T>,
): MaybePromise<T> {
  const id = context.sessionIdOf(request)
  if (id === undefined) return atOnce(undefined)
  const go = (held: HeldSession | undefined): MaybePromise<T> =>
    held === undefined || !isDue(context, held)
      ? atOnce(held)
      : attend(context, held).then(afterWaiting)
  const read = readSession(context, id)
  return read instanceof Promise ? read.then(go) : go(read)
}

function isDue(context: Context, { record }: HeldSession): boolean {
  return isTouchDue(context, record) || isRevalidationDue(context, record)
}

async function attend(context: Context, held: HeldSession): Promise<HeldSession | undefined> {
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
    claims: context.views.claims(record),
    establishedAt: record.establishedAt,
    expiresAt: expiryOf(record, context.configuration),
    handle: handleOf(id),
  }
}

/** Whether the idle limit is to be moved: seldom, as most requests only read. */
function isTouchDue({ configuration, environment }: Context, record: SessionRecord): boolean {
  return environment.now() - record.lastSeenAt >= Math.min(configuration.idle / 10, 60_000)
}

/** Moves the idle limit. */
async function touch(context: Context, held: HeldSession): Promise<HeldSession | undefined> {
  if (!isTouchDue(context, held.record)) return held
  const vault = await context.keyring.load()
  const record = { ...held.record, lastSeenAt: context.environment.now() }
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
