import type { Context } from '../context.ts'
import { isNobody } from '../sign-in/take-back.ts'
import type { SignOutOrder } from './order.ts'
import { openWork } from './owed.ts'
import { newReceiptId } from './receipt-id.ts'
import { tellAbandoned } from './retry.ts'
import { createTally, inStep } from './tally.ts'
import { wakeForPlaces } from './tell-places.ts'

const BATCH = 128

/**
 * Removes what has expired, so that the tokens of somebody who never comes back are revoked too.
 * Sessions that ended by time have a receipt like any other.
 */
export async function sweepExpired(context: Context): Promise<void> {
  const vault = await context.keyring.confirm()
  for (;;) {
    const at = context.environment.now()
    const order: SignOutOrder = {
      id: newReceiptId(context),
      cause: 'expired',
      named: [],
      sessions: [],
      marks: [],
      revokeAt: at,
      providerSession: 'not_asked',
      at,
      inBackground: true,
    }
    const tally = createTally(context, vault, order)
    const swept = await inStep(context, tally, () => context.store.sweep(tally.owe, BATCH))
    for (const { id, value } of swept) {
      if (isNobody(value)) continue
      tally.count({ id, value })
      const work = openWork(vault, id, value)
      // Nobody was there to do it in time: that must not pass in silence.
      if (work !== undefined && work.kind !== 'sign_out') tellAbandoned(context, work)
    }
    const { receipt, owed } = tally.end()
    if (receipt.removed > 0) context.emit({ type: 'signed_out', receipt })
    if (owed.length > 0) context.wakeWorker({ kind: 'revocation' })
    wakeForPlaces(context, receipt)
    if (swept.length < BATCH) return
  }
}
