import type { SignOutCause, SignOutReceipt } from '../../events.ts'
import type { Context } from '../context.ts'
import { handleOf } from '../session/ticket.ts'
import type { Removed } from './order.ts'
import { newReceiptId } from './receipt-id.ts'
import { removeSessions } from './remove.ts'

/** Removes one session by its store id. */
export function endSession(
  context: Context,
  id: string,
  cause: SignOutCause,
  how: {
    /** Milliseconds from now; `never`: another session lives on the same grant. */
    readonly revokeAfter?: number | 'never'
    readonly inBackground?: boolean
    readonly providerSession?: SignOutReceipt['providerSession']
  } = {},
): Promise<Removed> {
  const at = context.environment.now()
  const { revokeAfter = 0, inBackground = false, providerSession = 'not_asked' } = how
  return removeSessions(context, {
    id: newReceiptId(context),
    cause,
    named: [{ by: 'session', reference: handleOf(id) }],
    sessions: [id],
    marks: [],
    ...(revokeAfter !== 'never' && { revokeAt: at + revokeAfter }),
    providerSession,
    at,
    inBackground,
  })
}
