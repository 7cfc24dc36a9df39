import type { Context } from '../context.ts'
import type { StoredEntry } from '../tokens/store.ts'
import { type OwedAttempts, RETENTION, toSuccessor } from './owed.ts'

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 300_000
/** Whoever asks for more patience than this is asked again anyway. */
const LONGEST_RETRY_AFTER = 3_600_000

/**
 * Ends an attempt at what is owed. `rest` is what it left, the attempt counted; nothing where all
 * is done. What is left is tried again after a growing pause, and not before `notBefore`, until it
 * was owed for too long: then it is given up, loudly.
 */
export async function endAttempt(
  context: Context,
  entry: StoredEntry,
  rest: OwedAttempts | undefined,
  notBefore = 0,
): Promise<void> {
  const now = context.environment.now()
  const isTooLate = rest !== undefined && now - rest.owedSince >= RETENTION
  if (isTooLate) tellAbandoned(context, rest)
  if (isTooLate || rest === undefined) {
    await context.store.remove(entry.id)
    return
  }
  const pause = Math.min(FIRST_PAUSE * 2 ** Math.min(rest.attempts - 1, 10), LONGEST_PAUSE)
  const dueAt = Math.max(now + pause, Math.min(notBefore, now + LONGEST_RETRY_AFTER))
  const vault = await context.keyring.load()
  const { record } = toSuccessor(context, vault, context.provider, entry.id, { ...rest, dueAt })
  await context.store.replace(entry.id, entry.value, record)
}

/** The alarm: nobody will try again, and what was owed may live on. */
export function tellAbandoned(context: Context, owed: OwedAttempts): void {
  const { attempts } = owed
  const outcome = 'abandoned'
  if (owed.kind === 'place') {
    const { place, ended } = owed
    const { receipt } = ended
    context.emit({ type: 'place', receipt, place, outcome, attempts, removed: undefined })
  } else {
    for (const { hint } of owed.tokens) {
      context.emit({ type: 'revocation', receipt: owed.receipt, token: hint, outcome, attempts })
    }
  }
}
