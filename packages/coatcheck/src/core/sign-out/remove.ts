import type { Context } from '../context.ts'
import type { Successor } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import type { IndexMark, Removed, SignOutOrder } from './order.ts'
import { toSuccessor } from './owed.ts'
import { createTally, type Tally } from './tally.ts'

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

  try {
    for (const id of order.sessions) {
      const value = await context.store.remove(id, tally.owe)
      if (value !== undefined) tally.count({ id, value })
    }
    for (const each of order.marks) await removeCovered(context, vault, order, each, tally)
  } catch (error) {
    // What was done before the store failed is done: nothing is removed in silence.
    tell(context, tally.end(), false)
    throw error
  }
  const removed = tally.end()
  tell(context, removed, order.marks.length > 0)
  return removed
}

function tell(context: Context, { receipt, owed }: Removed, evenOfNone: boolean): void {
  if (receipt.removed > 0 || evenOfNone) context.emit({ type: 'signed_out', receipt })
  if (owed.length > 0) context.wakeWorker()
}

/**
 * Leaves one mark and removes the records it covers, in steps. The first step also writes what is
 * left to do, so that whoever finds it can finish.
 */
async function removeCovered(
  context: Context,
  vault: Vault,
  order: SignOutOrder,
  { index, mark }: IndexMark,
  tally: Tally,
): Promise<void> {
  const rest = { ...order, sessions: [], marks: [{ index, mark }] }
  const unfinished = unfinishedWork(context, vault, `w.${order.id}.${index}`, rest)
  let steps = 0
  for (let more = true; more; steps++) {
    const step = await context.store.removeAll(index, {
      mark,
      owe: tally.owe,
      limit: STEP,
      unfinished,
    })
    step.removed.forEach(tally.count)
    more = step.more
  }
  if (steps > 1) await context.store.remove(unfinished.id)
}

/** For whoever finds it when nobody has finished it in time. */
function unfinishedWork(
  context: Context,
  vault: Vault,
  id: string,
  order: SignOutOrder,
): Successor {
  const dueAt = context.environment.now() + FINISH_AFTER
  return toSuccessor(context, vault, context.provider, id, { kind: 'sign_out', order, dueAt })
}
