import type { Auth } from '../auth.ts'
import type { SignOutReceipt } from '../events.ts'
import { partitionsOf } from './partitions-of.ts'

/**
 * Signs out everybody in whose sessions MSAL has tokens of this account (`uid.utid`, in any case):
 * for administrators and security events, which know a user of Microsoft Entra ID by it and not by
 * the subject, which is another for each client. One receipt for each subject.
 */
export async function msalSignOut(
  auth: Auth,
  homeAccountId: string,
  options: { readonly cause?: 'administrator' | 'security_event' } = {},
): Promise<SignOutReceipt[]> {
  const receipts: SignOutReceipt[] = []
  for (const subject of await partitionsOf(auth).subjectsOf(homeAccountId)) {
    receipts.push(await auth.signOut({ subject }, options))
  }
  return receipts
}
