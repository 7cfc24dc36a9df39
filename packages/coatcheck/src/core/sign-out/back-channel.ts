import { AuthError, type AuthErrorCode } from '../../errors.ts'
import type { Named } from '../../events.ts'
import type { Context } from '../context.ts'
import { readForm, single } from '../http/form.ts'
import type { LogoutToken } from '../provider/types.ts'
import { openSession } from '../session/open.ts'
import { allUnder } from '../tokens/all-under.ts'
import {
  type Home,
  logoutTokenId,
  sidIndex,
  subjectIndex,
  subjectWithoutSidIndex,
} from '../tokens/home.ts'
import type { Vault } from '../tokens/vault.ts'
import type { ReadEntry } from './batch.ts'
import { heard } from './heard.ts'
import { markUntil } from './mark.ts'
import type { SignOutOrder } from './order.ts'
import { namesFor, type Who } from './owed-places.ts'
import { newReceiptId } from './receipt-id.ts'
import { removeSessions } from './remove.ts'
import { askBeforeNextToken } from './revalidate-sessions.ts'

/** So many sessions of one `sid` are not opened twice: nearly always there is one. */
const MOST_SEEN = 8

/** HTTP faults keep their status; whatever else went wrong is 400 (Back-Channel Logout 2.8). */
const HTTP_FAULTS: Partial<Record<AuthErrorCode, number>> = {
  method_not_allowed: 405,
  request_too_large: 413,
  media_type_unsupported: 415,
}

/** `POST …/backchannel-logout`: 200 when all it names is durably gone, 400 otherwise. */
export async function backChannelLogout(context: Context, request: Request): Promise<Response> {
  try {
    const form = await readForm(request)
    const jwt = single(form, 'logout_token')
    if (!jwt) throw new AuthError('request_invalid', 'The parameter logout_token is missing.')
    const token = await context.provider.verifyLogoutToken(jwt)
    const at = context.environment.now()
    await heard(context, 'back_channel', (again) => obey(context, token, at, again))
    return new Response(null, { status: 200, headers: { 'cache-control': 'no-store' } })
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    context.emit({ type: 'logout_refused', code: error.code, reason: error.message })
    return refusal(HTTP_FAULTS[error.code] ?? 400)
  }
}

async function obey(
  context: Context,
  token: LogoutToken,
  at: number,
  inBackground: boolean,
): Promise<void> {
  const vault = await context.keyring.confirm()
  const replayId = logoutTokenId(vault, context.provider, token.jti)
  if ((await context.store.get(replayId)) !== undefined) {
    return context.emit({ type: 'logout_repeated' })
  }
  const targets = targetsOf(vault, context.provider, token)
  const seen = await refuseContradiction(context, vault, token)
  if (token.late) {
    const asked = await askBeforeNextToken(
      context,
      targets.map(({ index }) => index),
      token.issuedAt,
    )
    context.emit({ type: 'logout_late', sessions: asked })
    throw new AuthError('logout_token_late', 'The logout token is genuine but has expired.')
  }
  if (token.withoutExpiry) context.emit({ type: 'logout_without_expiry' })
  const mark = markUntil(context, 'provider', token.issuedAt, at)
  const order: SignOutOrder = {
    id: newReceiptId(context),
    cause: 'back_channel',
    named: targets.map(({ named }) => named),
    ...namesFor(context, whoIn(token)),
    sessions: [],
    marks: targets.map(({ index }) => ({ index, mark })),
    revokeAt: at,
    providerSession: 'ended_by_provider',
    at,
    inBackground,
  }
  await removeSessions(context, order, { seen })
  // Only now: a delivery that failed before may come again. Twice at once does no harm.
  await context.store.insert(replayId, {
    value: Buffer.from([1]),
    expiresAt: token.expiresAt,
    established: { provider: 0, here: 0 },
    indexes: [],
  })
}

/** A `sid` ends its sessions, and the user's that were stored without one; a subject ends all. */
function targetsOf(
  vault: Vault,
  home: Home,
  { sid, subject }: LogoutToken,
): { index: string; named: Named }[] {
  const target = (by: Named['by'], index: string) => ({ index, named: { by, reference: index } })
  if (sid === undefined) {
    return subject === undefined ? [] : [target('subject', subjectIndex(vault, home, subject))]
  }
  return [
    target('sid', sidIndex(vault, home, sid)),
    ...(subject === undefined
      ? []
      : [target('subject', subjectWithoutSidIndex(vault, home, subject))]),
  ]
}

function whoIn({ sid, subject }: LogoutToken): Who[] {
  if (sid !== undefined) return [{ sid, ...(subject !== undefined && { subject }) }]
  return subject === undefined ? [] : [{ subject }]
}

/**
 * A `sid` that belongs to another user's session here: nobody knows who is meant (2.6, step 10).
 * Resolves with the first of the sessions that it looked at.
 */
async function refuseContradiction(
  context: Context,
  vault: Vault,
  token: LogoutToken,
): Promise<readonly ReadEntry[]> {
  const { sid, subject } = token
  const seen: ReadEntry[] = []
  if (sid === undefined || subject === undefined) return seen
  for await (const { id, value } of allUnder(context, sidIndex(vault, context.provider, sid))) {
    const record = await openSession(context, id, value)
    if (record === undefined) continue
    if (record.subject !== subject) {
      throw new AuthError('logout_token_invalid', 'sid and sub name sessions of different users.')
    }
    if (seen.length < MOST_SEEN) seen.push({ entry: { id, value }, record })
  }
  return seen
}

function refusal(status: number): Response {
  const headers = new Headers({ 'cache-control': 'no-store' })
  if (status === 405) headers.set('allow', 'POST')
  return Response.json({ error: 'invalid_request' }, { status, headers })
}
