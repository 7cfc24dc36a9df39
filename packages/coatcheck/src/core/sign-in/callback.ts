import { AuthError, ProviderError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { setCookie } from '../http/cookies.ts'
import { toFailure } from '../http/failure.ts'
import { readForm, single } from '../http/form.ts'
import { redirect } from '../http/redirect.ts'
import type { Claims, TokenSet, VerifiedIdToken } from '../provider/types.ts'
import { newSecret } from '../secret.ts'
import { claimsBeside } from '../session/claims.ts'
import { readSession } from '../session/read.ts'
import { isSameGrant, type SessionRecord, toKept, toStored } from '../session/record.ts'
import {
  cookieName,
  handleOf,
  sessionCookieAttributes,
  sessionIdOf,
  sessionIdOfTicket,
} from '../session/ticket.ts'
import { defer } from '../sign-out/defer.ts'
import { endSession } from '../sign-out/end-session.ts'
import { heard } from '../sign-out/heard.ts'
import { oweRevocation } from '../sign-out/owed.ts'
import { isStoreFailure } from '../tokens/store-failure.ts'
import type { Vault } from '../tokens/vault.ts'
import { findPending, forgetOnePending, type PendingSignIn } from './pending.ts'
import { isRefused } from './refusal.ts'
import { takeBack } from './take-back.ts'

/** `GET` or `POST …/callback`: the provider's answer, once, becomes a session. */
export async function completeSignIn(context: Context, request: Request): Promise<Response> {
  const answer =
    request.method === 'POST' ? await readForm(request) : new URL(request.url).searchParams
  const state = single(answer, 'state')
  const vault = await context.keyring.confirm()
  const found = state === undefined ? undefined : findPending(context, vault, request, state)
  if (found === undefined) {
    throw new AuthError('sign_in_unknown', 'No sign-in of this browser has this state.')
  }
  const { pending, cookie } = found
  const forget = forgetOnePending(context, cookie)
  let isOurs = false
  try {
    checkIssuer(context, pending)
    await claimOnce(context, vault, pending)
    isOurs = true
    const session = await askForSession(context, answer, pending)
    await establish(context, vault, session, pending, earlierSessions(context, request, pending))
    const lifetime = Math.round(context.configuration.lifetime / 1000)
    const attributes = sessionCookieAttributes(context.configuration)
    const name = cookieName(context.configuration)
    return redirect(context.configuration.origin + pending.returnTo, [
      forget,
      setCookie(name, session.ticket, lifetime, attributes),
    ])
  } catch (error) {
    await heedRefusal(context, request, pending, error)
    if (!(error instanceof AuthError)) throw error
    context.emit({ type: 'sign_in_failed', code: error.code, reason: error.message })
    // Who claimed it also drops the cookie: the sign-in is over. An answer that comes a second
    // time must not, since the first may still be under way and a sign-out has to find it; and
    // with the store out of reach nobody knows whether it is over.
    const isOver = isOurs && !isStoreFailure(error)
    const signInPath = context.configuration.routes.signIn
    return toFailure(error, request, { signInPath, cookies: isOver ? [forget] : [] })
  }
}

interface NewSession {
  readonly id: string
  readonly ticket: string
  readonly record: SessionRecord
  /** What the provider gave for it. */
  readonly set: TokenSet & { readonly idToken: VerifiedIdToken }
}

/** A code goes to whoever was asked for it, also while a deployment changes providers (RFC 9700 4.4.2). */
function checkIssuer(context: Context, pending: PendingSignIn): void {
  if (pending.issuer === context.provider.issuer) return
  throw new AuthError('issuer_mismatch', 'This sign-in began at another provider.')
}

/** Of any number of equal callbacks, in any process, one goes on. */
async function claimOnce(context: Context, vault: Vault, pending: PendingSignIn): Promise<void> {
  const claim = vault.index('claim', 'callback', pending.state)
  // By then the cookie has expired by any clock.
  const until = (await context.store.now()) + 3_600_000
  if (await context.store.claim(claim, until)) return
  throw new AuthError('sign_in_repeated', 'This callback was answered before.')
}

/**
 * The provider would not sign in without the user, and nothing but that was asked: its session is
 * over, and ours was part of it (Session Management 1.0 section 3.1).
 */
async function heedRefusal(
  context: Context,
  request: Request,
  pending: PendingSignIn,
  error: unknown,
): Promise<void> {
  if (!pending.silent || !(error instanceof ProviderError)) return
  // In a frame the provider may only have missed its cookie.
  if (!['document', null].includes(request.headers.get('sec-fetch-dest'))) return
  if (error.code !== 'sign_in_refused' || error.error !== 'login_required') return
  await heard(context, 'provider_refused', async (again) => {
    const how = { providerSession: 'ended_by_provider', inBackground: again } as const
    for (const id of earlierSessions(context, request, pending)) {
      await endSession(context, id, 'provider_refused', how)
    }
  })
}

async function askForSession(
  context: Context,
  answer: URLSearchParams,
  pending: PendingSignIn,
): Promise<NewSession> {
  const { configuration, environment, provider } = context
  const resource = configuration.resources[0]
  const set = await provider.exchangeCode(answer, {
    redirectUri: configuration.origin + configuration.routes.callback,
    verifier: pending.verifier,
    resources: resource === undefined ? [] : [resource],
    expect: { nonce: pending.nonce, maxAge: pending.maxAge, acrValues: pending.acrValues },
  })
  const { idToken } = set
  const claims = configuration.userInfo ? await withUserInfo(context, set) : idToken.claims
  const ticket = newSecret(environment)
  const record = toRecord(context, pending, set, idToken, claims)
  return { id: sessionIdOfTicket(ticket), ticket, record, set }
}

/**
 * Keeps the session, in place of those the browser had: all of it, or none of it where the store
 * fails in the middle. Nobody gets the ticket then, so nobody may have the session.
 */
async function establish(
  context: Context,
  vault: Vault,
  session: NewSession,
  pending: PendingSignIn,
  earlier: ReadonlySet<string>,
): Promise<void> {
  const { id, record, set } = session
  const stored = toStored(vault, id, record, context.configuration)
  let kept = false
  let refused = false
  try {
    kept = await context.store.insert(id, stored)
    refused = kept && (await isRefused(context, vault, pending))
    // With its tokens, which are revoked like those of any session.
    if (refused) await endSession(context, id, 'administrator')
    else if (kept) await removeEarlier(context, earlier, record)
  } catch (error) {
    if (kept || isStoreFailure(error)) {
      const { expiresAt } = stored
      const cutShort = { id, record, set, expiresAt, earlier: refused ? [] : earlier }
      defer(context, 'A sign-in cut short', () => takeBack(context, cutShort))
    }
    throw error
  }
  if (!kept) await revoke(context, set)
  if (!kept || refused) {
    throw new AuthError('signed_out_meanwhile', 'A sign-out landed before this sign-in was done.')
  }
  const { issuer } = context.provider
  const withoutSid = set.idToken.sid === undefined
  context.emit({ type: 'signed_in', session: handleOf(id), issuer, withoutSid })
}

/** The claims of both. Where UserInfo cannot be believed, nobody may keep the tokens either. */
async function withUserInfo(
  context: Context,
  set: TokenSet & { readonly idToken: VerifiedIdToken },
): Promise<Claims> {
  const { subject, claims } = set.idToken
  try {
    return { ...(await context.provider.userInfo(set.accessToken, subject)), ...claims }
  } catch (error) {
    await revoke(context, set)
    throw error
  }
}

/** Nobody may keep what the provider gave. */
async function revoke(context: Context, set: TokenSet): Promise<void> {
  try {
    await oweRevocation(context, set)
  } catch (error) {
    if (isStoreFailure(error)) {
      defer(context, 'A revocation', () => oweRevocation(context, set))
    }
    throw error
  }
}

function toRecord(
  context: Context,
  pending: PendingSignIn,
  set: TokenSet,
  idToken: VerifiedIdToken,
  claims: Claims,
): SessionRecord {
  const now = context.environment.now()
  const authTime = idToken.claims['auth_time']
  const key = { resource: context.configuration.resources[0], askedScope: undefined }
  return {
    issuer: context.provider.issuer,
    clientId: context.provider.clientId,
    subject: idToken.subject,
    sids: idToken.sid === undefined ? [] : [idToken.sid],
    idToken: idToken.value,
    otherClaims: claimsBeside(idToken.value, claims),
    nonce: pending.nonce,
    authTime: typeof authTime === 'number' ? authTime : undefined,
    establishedAt: idToken.issuedAt,
    beganAt: pending.beganAt,
    browser: pending.browser,
    signedInAt: now,
    lastSeenAt: now,
    validatedAt: now,
    mustRevalidate: false,
    generation: 0,
    refreshToken: set.refreshToken,
    accessTokens: [toKept(set, key, 0, now)],
  }
}

/** The browser holds one ticket: whatever it had before is gone when the new one is handed out. */
async function removeEarlier(
  context: Context,
  earlier: ReadonlySet<string>,
  record: SessionRecord,
): Promise<void> {
  for (const id of earlier) {
    const held = await readSession(context, id)
    if (held === undefined) continue
    const how = isSameGrant(held.record, record) ? ({ revokeAfter: 'never' } as const) : {}
    await endSession(context, id, 'replaced', how)
  }
}

/** The browser's own comes last: where the store fails before, it stays signed in with it. */
function earlierSessions(context: Context, request: Request, pending: PendingSignIn): Set<string> {
  const here = sessionIdOf(request, cookieName(context.configuration))
  return new Set([pending.replaces, here].filter((id) => id !== undefined))
}
