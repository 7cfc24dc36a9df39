import type { SignOutSelector } from '../../auth.ts'
import type { SignOutCause, SignOutReceipt } from '../../events.ts'
import type { Context } from '../context.ts'
import { isHandle, sessionIdOfHandle } from '../session/ticket.ts'
import { endSession } from './end-session.ts'
import { heard } from './heard.ts'
import { markUntil } from './mark.ts'
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
    return (await heard(context, cause, () => endSession(context, id, cause))).receipt
  }
  const issuer = issuerOf(context, selector)
  const [by, name] =
    'sid' in selector ? ['sid' as const, selector.sid] : ['subject' as const, selector.subject]
  if (typeof name !== 'string' || name === '') {
    throw new TypeError('Name what to sign out: { session }, { sid } or { subject }.')
  }
  return heard(context, cause, () => removeNamed(context, by, [issuer, name], cause))
}

async function removeNamed(
  context: Context,
  by: 'sid' | 'subject',
  parts: readonly string[],
  cause: SignOutCause,
): Promise<SignOutReceipt> {
  const at = context.environment.now()
  const vault = await context.keyring.load()
  const index = vault.index(by, ...parts)
  const here = await context.store.now()
  const { receipt } = await removeSessions(context, {
    id: newReceiptId(context),
    cause,
    named: [{ by, reference: index }],
    sessions: [],
    marks: [{ index, mark: markUntil(context, 'here', here, at) }],
    revokeAt: at,
    providerSession: 'not_asked',
    at,
  })
  return receipt
}

/** The issuer a selector means. Throws a `TypeError` for one that is not ours. */
export function issuerOf(
  { provider }: Context,
  { issuer = provider.issuer }: { readonly issuer?: string },
): string {
  if (issuer === provider.issuer) return issuer
  throw new TypeError(
    `\`issuer\` is not the configured one: leave it out, or write "${provider.issuer}".`,
  )
}
