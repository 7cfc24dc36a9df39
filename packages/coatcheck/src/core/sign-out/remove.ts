import type { Context } from '../context.ts'
import type { RemovalStep, StoredRecord, Successor } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import type { ReadEntry } from './batch.ts'
import { lookAhead } from './look-ahead.ts'
import type { Removed, SignOutOrder } from './order.ts'
import { toSuccessor } from './owed.ts'
import { oweNamesToPlaces } from './owed-places.ts'
import { createTally, inStep, type Tally } from './tally.ts'
import { tellPlaces, wakeForPlaces } from './tell-places.ts'

/** So many records go in the first step: some ten milliseconds of work. */
const FIRST_STEP = 64
/** In the others more: they were prepared, so that a step has only to write. */
const STEP = 256
/** Others finish a removal when whoever began it has not done so by then. */
const FINISH_AFTER = 30_000

/**
 * The one removal path, whatever ended the sessions. Removes first, and tells the application's
 * places and the provider after.
 * Where the process dies in the middle, another one finds what is unfinished. Rejects
 * `store_unavailable`; whoever heard of the sign-out then sees to it that it is done later
 * (`heard.ts`). `resumed`: somebody began it before, and who signed in since then stays.
 * `isLeft`: whoever began it had found sessions, so places hear of these, and the names go with them.
 * `seen`: records that the caller has just read and opened; they are not opened again.
 */
export async function removeSessions(
  context: Context,
  given: SignOutOrder,
  {
    resumed = false,
    isLeft = false,
    seen = [],
  }: {
    readonly resumed?: boolean
    readonly isLeft?: boolean
    readonly seen?: readonly ReadEntry[]
  } = {},
): Promise<Removed> {
  const vault = await context.keyring.confirm()
  const order = resumed ? { ...given, inBackground: true } : given
  const tally = createTally(context, vault, order, seen)

  try {
    for (const id of order.sessions) {
      const value = await inStep(context, tally, () => context.store.remove(id, tally.owe))
      if (value !== undefined) tally.count({ id, value })
    }
    if (order.marks.length > 0) await removeCovered(context, vault, order, tally, resumed)
    // Not where it was left unfinished: by now the name may be that of somebody who is back.
    if (order.names !== undefined && tally.toPlaces.size === 0 && !isLeft) {
      tally.toPlaces.add(await oweNamesToPlaces(context, vault, order))
    }
  } catch (error) {
    // What was done before the store failed is done: nothing is removed in silence.
    const done = tally.end()
    wakeForProvider(context, done)
    tell(context, done, false)
    throw error
  }
  const removed = tally.end()
  // The provider need not wait for a place that hangs.
  wakeForProvider(context, removed)
  const places =
    tally.toPlaces.size === 0 || order.inBackground
      ? removed.receipt.places
      : await tellPlaces(context, order.id, [...tally.toPlaces])
  const told = { ...removed, receipt: { ...removed.receipt, places } }
  tell(context, told, order.marks.length > 0)
  return told
}

function tell(context: Context, { receipt }: Removed, evenOfNone: boolean): void {
  if (receipt.removed > 0 || evenOfNone) context.emit({ type: 'signed_out', receipt })
  wakeForPlaces(context, receipt)
}

function wakeForProvider(context: Context, { owed }: Removed): void {
  if (owed.length > 0) context.wakeWorker({ kind: 'revocation' })
}

/**
 * Leaves the marks and removes the records they cover, in steps. The first step also writes what
 * is left to do, so that whoever finds it can finish.
 */
async function removeCovered(
  context: Context,
  vault: Vault,
  order: SignOutOrder,
  tally: Tally,
  resumed: boolean,
): Promise<void> {
  const unfinished = unfinishedWork(context, vault, { ...order, sessions: [] })
  const removeSome = async (limit: number, again: boolean): Promise<boolean> => {
    const remove = (): Promise<RemovalStep> =>
      context.store.removeAll(order.marks, {
        owe: tally.owe,
        limit,
        unfinished,
        resumed: again,
        known: tally.likely(),
      })
    const { removed, more } = await inStep(context, tally, remove)
    removed.forEach(tally.count)
    return more
  }

  let more = await removeSome(FIRST_STEP, resumed)
  if (!more) return
  tally.delayRevocations()
  const indexes = order.marks.map(({ index }) => index)
  const ahead = lookAhead(context, tally, indexes, STEP)
  await ahead.next()
  while (more) {
    const [next] = await Promise.all([removeSome(STEP, true), ahead.next()])
    more = next
  }
  await context.store.remove(unfinished.id)
}

/**
 * For whoever finds it when nobody has finished it in time. Sealed when a store asks for it: most
 * removals are one step, and leave no word.
 */
function unfinishedWork(context: Context, vault: Vault, order: SignOutOrder): Successor {
  const id = `w.${order.id}`
  const dueAt = context.environment.now() + FINISH_AFTER
  const work = { kind: 'sign_out', order, dueAt } as const
  let record: StoredRecord | undefined
  return {
    id,
    get record() {
      record ??= toSuccessor(context, vault, context.provider, id, work).record
      return record
    },
  }
}
