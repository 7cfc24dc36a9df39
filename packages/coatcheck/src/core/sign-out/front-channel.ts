import type { Context } from '../context.ts'
import { toPage } from '../http/page.ts'
import { cookieName, sessionIdOf } from '../session/ticket.ts'
import { PENDING_LIFETIME } from '../sign-in/pending.ts'
import { sidIndex } from '../tokens/home.ts'
import type { Mark } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import { endSession } from './end-session.ts'
import { heard, storeTimeOf } from './heard.ts'
import type { SignOutOrder } from './order.ts'
import { namesFor } from './owed-places.ts'
import { newReceiptId } from './receipt-id.ts'
import { removeSessions } from './remove.ts'

/** Longer is no `sid` of any provider. */
const LONGEST_SID = 1024
/** Anybody can ask for these: with the store out of reach only so many are kept for later. */
const MOST_WAITING = 1000

/**
 * `GET …/frontchannel-logout`, in a frame on the provider's page (Front-Channel Logout 2). Acts
 * on `iss` and `sid`, since no browser sends our cookie there; the answer is the same whatever
 * happened. Nobody signed this request: it revokes nothing and touches no cookie.
 */
export async function frontChannelLogout(context: Context, request: Request): Promise<Response> {
  const { search, searchParams } = new URL(request.url)
  const [iss, sid] = [searchParams.getAll('iss'), searchParams.getAll('sid')]
  const ours = iss.length === 0 || (iss.length === 1 && iss[0] === context.provider.issuer)
  const at = context.environment.now()
  const end = async (again: boolean): Promise<void> => {
    if (sid.length === 1 && ours) {
      await endBySid(context, candidates(search, sid[0] ?? ''), at, again)
    }
    if (sid.length === 0 && iss.length === 0) await endByCookie(context, request, again)
  }
  await heard(context, 'front_channel', end, MOST_WAITING)
  const shownBy = [context.provider.issuer, context.provider.knownMetadata()?.end_session_endpoint]
  return toPage({
    title: 'Signed out',
    body: '',
    framedBy: [
      ...new Set(shownBy.flatMap((url) => (url === undefined ? [] : new URL(url).origin))),
    ],
  })
}

/** One issuer owns this endpoint, so a `sid` alone is enough. */
async function endBySid(
  context: Context,
  sids: readonly string[],
  at: number,
  resumed: boolean,
): Promise<void> {
  if (sids.length === 0) return
  const vault = await context.keyring.confirm()
  const here = await storeTimeOf(context, at, resumed)
  const indexes = sids.map((sid) => sidIndex(vault, context.provider, sid))
  if (!(await isWorthMarking(context, vault, indexes, here))) return
  const mark: Mark = { clock: 'here', establishedUntil: here, keepUntil: at + 2 * PENDING_LIFETIME }
  const order: SignOutOrder = {
    id: newReceiptId(context),
    cause: 'front_channel',
    named: indexes.map((reference) => ({ by: 'sid', reference })),
    ...namesFor(
      context,
      sids.map((sid) => ({ sid })),
    ),
    sessions: [],
    marks: indexes.map((index) => ({ index, mark })),
    providerSession: 'ended_by_provider',
    at,
  }
  const { receipt } = await removeSessions(context, order, { resumed })
  if (receipt.removed === 0) context.emit({ type: 'front_channel_unidentified' })
}

/**
 * A `sid` that nobody has here may belong to a sign-in under way, so it leaves a mark as well;
 * but anybody can ask, so only so many strangers do. The others cost a write all the same: time
 * must not tell which `sid` exists.
 */
async function isWorthMarking(
  context: Context,
  vault: Vault,
  indexes: readonly string[],
  here: number,
): Promise<boolean> {
  for (const index of indexes) {
    if ((await context.store.list(index, { limit: 1 })).length > 0) return true
  }
  if (context.strangers.take()) return true
  await context.store.claim(vault.index('claim', 'stranger'), here)
  context.emit({ type: 'front_channel_unidentified' })
  return false
}

/** Without a name only the browser itself can be meant, and only from inside a frame. */
async function endByCookie(context: Context, request: Request, again: boolean): Promise<void> {
  const id = sessionIdOf(request, cookieName(context.configuration))
  if (id === undefined || request.headers.get('sec-fetch-dest') !== 'iframe') {
    return context.emit({ type: 'front_channel_unidentified' })
  }
  await endSession(context, id, 'front_channel', {
    inBackground: again,
    revokeAfter: 'never',
    providerSession: 'ended_by_provider',
  })
}

/**
 * What `sid` may have been meant: as a form encodes it, and as it stands there, for providers
 * that append it without encoding (a `+` is then a plus, and `&` part of it).
 */
function candidates(search: string, decoded: string): string[] {
  const raw = /[?&]sid=((?:(?!&iss=).)*)/.exec(search)?.[1] ?? ''
  const found = new Set([
    decoded,
    decodeLoosely(raw.split('&', 1)[0] ?? ''),
    // A browser encodes some of it on the way, such as a space, whatever else stands there.
    decodeLoosely(raw),
    raw,
  ])
  return [...found].filter((sid) => sid !== '' && sid.length <= LONGEST_SID)
}

function decodeLoosely(text: string): string {
  return text.replace(/(%[0-9a-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString(),
  )
}
