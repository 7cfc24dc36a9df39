import type { SignOutSelector } from '../../auth.ts'
import type { SignOutCause, SignOutReceipt } from '../../events.ts'
import type { Context } from '../context.ts'
import { isHandle, sessionIdOfHandle } from '../session/ticket.ts'
import { sidIndex, subjectIndex } from '../tokens/home.ts'
import { endSession } from './end-session.ts'
import { heard, storeTimeOf } from './heard.ts'
import { markUntil } from './mark.ts'
import type { Removed, SignOutOrder } from './order.ts'
import { namesFor } from './owed-places.ts'
import { newReceiptId } from './receipt-id.ts'
import { removeSessions } from './remove.ts'

/**
 * `auth.signOut`: removes what the selector names. It begins here, so it covers by our own clock
 * what exists and every sign-in that began before it; who signs in afterwards is not blocked.
 */
export async function signOutByName(
  context: Context,
  selector: SignOutSelector,
  cause: SignOutCause,
): Promise<SignOutReceipt> {
  if ('session' in selector) {
    const { session } = selector
    const handle = typeof session === 'string' ? session : session.handle
    if (!isHandle(handle)) {
      throw new TypeError('`session` must be a session or its `handle`, not a cookie or a ticket.')
    }
    const id = sessionIdOfHandle(handle)
    const end = (again: boolean): Promise<Removed> =>
      endSession(context, id, cause, { inBackground: again })
    return (await heard(context, cause, end)).receipt
  }
  checkIssuer(context, selector)
  const [by, name] =
    'sid' in selector ? ['sid' as const, selector.sid] : ['subject' as const, selector.subject]
  if (typeof name !== 'string' || name === '' || /\p{Cs}/u.test(name)) {
    throw new TypeError('Name what to sign out: { session }, { sid } or { subject }.')
  }
  const at = context.environment.now()
  return heard(context, cause, (again) => removeNamed(context, { by, name }, cause, at, again))
}

async function removeNamed(
  context: Context,
  { by, name }: { readonly by: 'sid' | 'subject'; readonly name: string },
  cause: SignOutCause,
  at: number,
  resumed: boolean,
): Promise<SignOutReceipt> {
  const vault = await context.keyring.confirm()
  const index = (by === 'sid' ? sidIndex : subjectIndex)(vault, context.provider, name)
  const here = await storeTimeOf(context, at, resumed)
  const order: SignOutOrder = {
    id: newReceiptId(context),
    cause,
    named: [{ by, reference: index }],
    ...namesFor(context, [by === 'sid' ? { sid: name } : { subject: name }]),
    sessions: [],
    marks: [{ index, mark: markUntil(context, 'here', here, at) }],
    revokeAt: at,
    providerSession: 'not_asked',
    at,
  }
  return (await removeSessions(context, order, { resumed })).receipt
}

/** One deployment has one issuer. Throws a `TypeError` for any other. */
export function checkIssuer(
  { provider }: Context,
  { issuer = provider.issuer }: { readonly issuer?: string },
): void {
  if (issuer === provider.issuer) return
  throw new TypeError(
    `\`issuer\` is not the configured one: leave it out, or write "${provider.issuer}".`,
  )
}
