import type { Named, SignOutCause, SignOutReceipt } from '../../events.ts'
import type { Context } from '../context.ts'
import type { SessionRecord } from '../session/record.ts'
import type { Mark, Successor } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import { toSuccessor } from './owed.ts'
import { createTally } from './tally.ts'

/** What is to be removed, why, and what the provider shall hear. Survives a crash as JSON. */
export interface SignOutOrder {
  /** The receipt's. */
  readonly id: string
  readonly cause: SignOutCause
  readonly named: readonly Named[]
  /** Store ids of single sessions. */
  readonly sessions: readonly string[]
  readonly marks: readonly { readonly index: string; readonly mark: Mark }[]
  /** From when on refresh and access tokens are revoked at the provider; absent: never. */
  readonly revokeAt?: number
  readonly providerSession: SignOutReceipt['providerSession']
  /** When it was heard. */
  readonly at: number
}

/** A receipt and what only the caller may know. */
export interface Removed {
  readonly receipt: SignOutReceipt
  /** Records of the order's single sessions that were still there. */
  readonly records: readonly SessionRecord[]
  /** Store ids of the revocations owed, for whoever can make them due. */
  readonly owed: readonly string[]
}

/** So many records go in one step: a few milliseconds of work. */
const STEP = 128
/** Others finish a removal when whoever began it has not done so by then. */
const FINISH_AFTER = 30_000

/**
 * The one removal path, whatever ended the sessions. Removes first and tells the provider after.
 * Where the process dies in the middle, another one finds what is unfinished. Rejects
 * `store_unavailable`; whoever heard of the sign-out then sees to it that it is done later
 * (`heard.ts`).
 */
export async function removeSessions(context: Context, order: SignOutOrder): Promise<Removed> {
  const vault = await context.keyring.confirm()
  const tally = createTally(context, vault, order)

  // A session and its browser's sign-ins under way are not one step: whoever dies between the two
  // must not leave half of a sign-out.
  const inParts = order.sessions.length > 0 && order.marks.length > 0
  const whole = inParts ? unfinishedWork(context, vault, `w.${order.id}`, order) : undefined
  if (whole !== undefined) await context.store.insert(whole.id, whole.record)

  for (const id of order.sessions) {
    const value = await context.store.remove(id, tally.owe)
    if (value !== undefined) tally.count({ id, value })
  }
  for (const { index, mark } of order.marks) {
    const name = `w.${order.id}.${index}`
    const rest = { ...order, sessions: [], marks: [{ index, mark }] }
    const unfinished = unfinishedWork(context, vault, name, rest)
    const removal = { mark, owe: tally.owe, limit: STEP, unfinished }
    let step = await context.store.removeAll(index, removal)
    step.removed.forEach(tally.count)
    const inSteps = step.more
    while (step.more) {
      step = await context.store.removeAll(index, removal)
      step.removed.forEach(tally.count)
    }
    if (inSteps) await context.store.remove(unfinished.id)
  }
  if (whole !== undefined) await context.store.remove(whole.id)

  const removed = tally.end()
  if (removed.receipt.removed > 0 || order.marks.length > 0) {
    context.emit({ type: 'signed_out', receipt: removed.receipt })
  }
  if (removed.owed.length > 0) context.wakeWorker()
  return removed
}

/** For whoever finds it when nobody has finished it in time. */
function unfinishedWork(
  context: Context,
  vault: Vault,
  id: string,
  order: SignOutOrder,
): Successor {
  const dueAt = context.environment.now() + FINISH_AFTER
  return toSuccessor(context, vault, id, { kind: 'sign_out', order, dueAt })
}
