import { AuthError, ProviderError } from '../../errors.ts'
import type { Context } from '../context.ts'
import type { TokenSet } from '../provider/types.ts'
import { readSession } from '../session/read.ts'
import {
  type HeldSession,
  type SessionRecord,
  type TokenKey,
  toStored,
  withTokenSet,
} from '../session/record.ts'
import { handleOf } from '../session/ticket.ts'
import { defer } from '../sign-out/defer.ts'
import { endSession } from '../sign-out/end-session.ts'
import { heard } from '../sign-out/heard.ts'
import { oweRevocation } from '../sign-out/owed.ts'
import { sameBytes } from './bytes.ts'
import { isStoreFailure } from './store-failure.ts'

/** How an attempt to refresh ended. */
export type RefreshOutcome =
  /** The record is not what was read: read it again. */
  | { readonly kind: 'changed' }
  /** Another process is at it. */
  | { readonly kind: 'busy' }
  /** The session is gone: it was signed out, or the provider refused it. */
  | { readonly kind: 'ended' }
  /** The session stands, but there is no token; try later, or ask the user. */
  | { readonly kind: 'failed'; readonly error: AuthError }

/** Refreshes of this process, by session and generation. */
export interface Refreshes {
  readonly underWay: Map<string, Promise<RefreshOutcome>>
  readonly attempts: Map<string, Attempt>
  /** Their answer came and waits for the store: to ask again would spend the token twice. */
  readonly waiting: Set<string>
}

/** Nothing under way yet. */
export function createRefreshes(): Refreshes {
  return { underWay: new Map(), attempts: new Map(), waiting: new Set() }
}

interface Attempt {
  /** Our claim holds until then. */
  readonly claimedUntil: number
  readonly failures: number
  readonly notBefore: number
  readonly error: AuthError | undefined
}

/** Longer than a token request may take: a claim never ends under its holder's request. */
export const CLAIM = 30_000
/** Between claim and request; later the claim could end while the provider answers. */
const START_WITHIN = 5_000
/** After an attempt that may do better next time. */
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 30_000
/** A provider that asks for more patience than this is asked again anyway. */
const LONGEST_RETRY_AFTER = 300_000
/** Errors of RFC 6749 and OpenID Connect Core 3.1.2.6 that end in front of the user. */
const WANTS_THE_USER = ['interaction_required', 'login_required', 'consent_required']

/**
 * Spends the refresh token of exactly the record that was read, once among all processes. A
 * refresh claims the session's generation, whatever token it is for, since all of them spend the
 * same rotating refresh token; in this process callers share the one that is under way.
 */
export function refreshSession(
  context: Context,
  held: HeldSession,
  key: TokenKey,
  claims?: string,
): Promise<RefreshOutcome> {
  const { underWay } = context.refreshes
  const name = `${held.id}.${held.record.generation}`
  let refresh = underWay.get(name)
  if (refresh === undefined) {
    refresh = refreshOnce(context, name, held, key, claims).finally(() => underWay.delete(name))
    underWay.set(name, refresh)
  }
  return refresh
}

async function refreshOnce(
  context: Context,
  name: string,
  held: HeldSession,
  key: TokenKey,
  claims: string | undefined,
): Promise<RefreshOutcome> {
  const { attempts, waiting } = context.refreshes
  if (waiting.has(name)) return { kind: 'busy' }
  const now = context.environment.now()
  const before = attempts.get(name)
  if (before?.error !== undefined && now < before.notBefore) {
    return { kind: 'failed', error: before.error }
  }
  if (before === undefined || now + START_WITHIN + CLAIM / 2 > before.claimedUntil) {
    if (!(await claim(context, name, now))) return { kind: 'busy' }
  }
  // A winner may have finished, or a sign-out landed, before the claim was ours.
  const current = await readSession(context, held.id)
  if (current === undefined) return { kind: 'ended' }
  const { refreshToken } = current.record
  if (current.record.generation !== held.record.generation || refreshToken === undefined) {
    return { kind: 'changed' }
  }
  // The claim runs since before it was asked for, however late its answer came.
  if (context.environment.now() - now > START_WITHIN) return { kind: 'busy' }
  let set: TokenSet
  try {
    set = await ask(context, current.record, refreshToken, key, claims)
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    return refused(context, name, current, error)
  }
  attempts.delete(name)
  try {
    return await keep(context, current, set, key)
  } catch (error) {
    // The refresh token is spent and its successor is only here: it is kept or revoked later.
    if (isStoreFailure(error)) keepLater(context, name, () => keep(context, current, set, key))
    throw error
  }
}

function keepLater(context: Context, name: string, work: () => Promise<unknown>): void {
  const { waiting } = context.refreshes
  const ended = (): void => void waiting.delete(name)
  waiting.add(name)
  defer(context, 'The answer to a refresh', () => work().then(ended), ended)
}

async function claim(context: Context, name: string, askedAt: number): Promise<boolean> {
  const vault = await context.keyring.load()
  const until = (await context.store.now()) + CLAIM
  if (!(await context.store.claim(vault.index('claim', 'refresh', name), until))) return false
  const { attempts } = context.refreshes
  const { failures = 0, error } = attempts.get(name) ?? {}
  attempts.set(name, { claimedUntil: askedAt + CLAIM, failures, notBefore: 0, error })
  forgetOld(attempts, context.environment.now())
  return true
}

function ask(
  context: Context,
  record: SessionRecord,
  refreshToken: string,
  key: TokenKey,
  claims: string | undefined,
): Promise<TokenSet> {
  return context.provider.refresh(refreshToken, {
    resources: key.resource === undefined ? [] : [key.resource],
    scope: key.askedScope,
    claims,
    expect: { subject: record.subject, nonce: record.nonce, authTime: record.authTime },
  })
}

/**
 * Keeps what the provider gave, unless the session is gone: then it is revoked. The record may
 * have been touched meanwhile, so this goes on until the replacement or the absence is certain.
 */
async function keep(
  context: Context,
  { id, record: { generation } }: HeldSession,
  set: TokenSet,
  key: TokenKey,
): Promise<RefreshOutcome> {
  const vault = await context.keyring.load()
  let last: Uint8Array | undefined
  for (;;) {
    const current = await readSession(context, id)
    if (current === undefined) break
    if (last && sameBytes(last, current.bytes)) {
      // The very same bytes after a refusal: a mark covers them, and their removal is on its way,
      // or it covers the new sid of this answer. Either way their refresh token is spent.
      await endSession(context, id, 'provider_refused')
      break
    }
    if (current.record.generation !== generation) return { kind: 'changed' }
    const record = withTokenSet(current.record, set, key, context.environment.now())
    const next = toStored(vault, id, record, context.configuration)
    if (await context.store.replace(id, current.bytes, next)) {
      context.emit({ type: 'refreshed', session: handleOf(id) })
      return { kind: 'changed' }
    }
    last = current.bytes
  }
  const receipt = await oweRevocation(context, set)
  context.emit({ type: 'refresh_lost', session: handleOf(id), receipt })
  return { kind: 'ended' }
}

async function refused(
  context: Context,
  name: string,
  current: HeldSession,
  error: AuthError,
): Promise<RefreshOutcome> {
  const { id, record } = current
  const { code, message: reason } = error
  context.emit({ type: 'refresh_failed', session: handleOf(id), code, reason })
  const wire = error instanceof ProviderError ? error.error : undefined
  if (wire === 'invalid_grant' || error.code === 'id_token_invalid') {
    return heard(context, 'provider_refused', async () => {
      // Unless somebody else refreshed meanwhile: then this refusal is about an old token.
      const again = await readSession(context, id)
      if (again !== undefined && again.record.generation !== record.generation) {
        return { kind: 'changed' }
      }
      await endSession(context, id, 'provider_refused')
      return { kind: 'ended' }
    })
  }
  const { attempts } = context.refreshes
  const now = context.environment.now()
  const before = attempts.get(name)
  const failures = (before?.failures ?? 0) + 1
  // An answer about one resource or scope says nothing about the next request.
  const transient = error.code === 'provider_unreachable' || wire === 'invalid_client'
  const pause = Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
  const retryAt = error instanceof ProviderError ? (error.retryAt ?? 0) : 0
  attempts.set(name, {
    claimedUntil: before?.claimedUntil ?? 0,
    failures,
    notBefore: transient ? Math.max(now + pause, Math.min(retryAt, now + LONGEST_RETRY_AFTER)) : 0,
    error,
  })
  return { kind: 'failed', error }
}

/** Whether an error of the provider can only be mended by the user, in the browser. */
export function wantsTheUser(error: AuthError): boolean {
  return error instanceof ProviderError && WANTS_THE_USER.includes(error.error ?? '')
}

function forgetOld(attempts: Map<string, Attempt>, now: number): void {
  for (const [name, { claimedUntil, notBefore }] of attempts) {
    if (claimedUntil < now && notBefore < now) attempts.delete(name)
    else break
  }
}
