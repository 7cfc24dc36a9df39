import { AuthError, ProviderError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { setCookie } from '../http/cookies.ts'
import { toFailure } from '../http/failure.ts'
import { readForm, single } from '../http/form.ts'
import { redirect } from '../http/redirect.ts'
import type { Claims, TokenSet, VerifiedIdToken } from '../provider/types.ts'
import { newSecret } from '../secret.ts'
import { readSession } from '../session/read.ts'
import { type SessionRecord, toKept, toStored } from '../session/record.ts'
import {
  cookieName,
  handleOf,
  sessionCookieAttributes,
  sessionIdOf,
  sessionIdOfTicket,
} from '../session/ticket.ts'
import { endSession } from '../sign-out/end-session.ts'
import { oweRevocation } from '../sign-out/owed.ts'
import type { StoredRecord } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import { findPending, forgetOnePending, type PendingSignIn } from './pending.ts'

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
    const session = await signIn(context, vault, answer, pending)
    await removeEarlier(context, request, pending, session)
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
    // time must not, since the first may still be under way and a sign-out has to find it.
    const signInPath = context.configuration.routes.signIn
    return toFailure(error, request, { signInPath, cookies: isOurs ? [forget] : [] })
  }
}

interface NewSession {
  readonly id: string
  readonly ticket: string
  readonly record: SessionRecord
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
  for (const id of earlierSessions(context, request, pending)) {
    await endSession(context, id, 'provider_refused', { providerSession: 'ended_by_provider' })
  }
}

async function signIn(
  context: Context,
  vault: Vault,
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
  const id = sessionIdOfTicket(ticket)
  const record = toRecord(context, pending, set, idToken, claims)
  if (!(await keepOrRevoke(context, set, id, toStored(vault, id, record, configuration)))) {
    throw new AuthError('signed_out_meanwhile', 'A sign-out landed before this sign-in was done.')
  }
  context.emit({
    type: 'signed_in',
    session: handleOf(id),
    issuer: provider.issuer,
    withoutSid: idToken.sid === undefined,
  })
  return { id, ticket, record }
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
    await oweRevocation(context, set)
    throw error
  }
}

/** Whether the session is kept. Where it is not, nobody may keep what the provider gave for it. */
async function keepOrRevoke(
  context: Context,
  set: TokenSet,
  id: string,
  record: StoredRecord,
): Promise<boolean> {
  try {
    if (await context.store.insert(id, record)) return true
    await oweRevocation(context, set)
    return false
  } catch (error) {
    context.deferred.add(() => oweRevocation(context, set))
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
    claims,
    idToken: idToken.value,
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
  request: Request,
  pending: PendingSignIn,
  session: NewSession,
): Promise<void> {
  for (const id of earlierSessions(context, request, pending)) {
    const earlier = await readSession(context, id)
    if (earlier === undefined) continue
    const { issuer, subject, sids } = earlier.record
    // Revoking on the same grant would take the new session's tokens along (keycloak#34234).
    const sameGrant =
      issuer === session.record.issuer &&
      subject === session.record.subject &&
      sids.at(-1) === session.record.sids.at(-1)
    await endSession(context, id, 'replaced', sameGrant ? { revokeAfter: 'never' } : {})
  }
}

function earlierSessions(context: Context, request: Request, pending: PendingSignIn): Set<string> {
  const here = sessionIdOf(request, cookieName(context.configuration))
  return new Set([here, pending.replaces].filter((id) => id !== undefined))
}
