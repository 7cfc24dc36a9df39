import type { SignOutCause, SignOutReceipt } from '../../events.ts'
import type { Context } from '../context.ts'
import { handleOf } from '../session/ticket.ts'
import type { Removed } from './order.ts'
import { newReceiptId } from './receipt-id.ts'
import { removeSessions } from './remove.ts'

/** Removes one session by its store id; without one, only sign-ins under way. */
export function endSession(
  context: Context,
  id: string | undefined,
  cause: SignOutCause,
  how: {
    /** Indexes of sign-ins under way that must not complete any more. */
    readonly signIns?: readonly string[]
    /** Milliseconds from now; `never`: another session lives on the same grant. */
    readonly revokeAfter?: number | 'never'
    readonly providerSession?: SignOutReceipt['providerSession']
  } = {},
): Promise<Removed> {
  const at = context.environment.now()
  const { signIns = [], revokeAfter = 0, providerSession = 'not_asked' } = how
  return removeSessions(context, {
    id: newReceiptId(context),
    cause,
    named: id === undefined ? [] : [{ by: 'session', reference: handleOf(id) }],
    sessions: id === undefined ? [] : [id],
    // Whenever they began: an index of a sign-in names that one only.
    marks: signIns.map((index) => ({
      index,
      mark: { clock: 'here', establishedUntil: Number.MAX_SAFE_INTEGER, keepUntil: at + 3_600_000 },
    })),
    ...(revokeAfter !== 'never' && { revokeAt: at + revokeAfter }),
    providerSession,
    at,
  })
}
