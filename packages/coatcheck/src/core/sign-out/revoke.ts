import type { Context } from '../context.ts'
import type { StoredEntry } from '../tokens/store.ts'
import { type OwedRevocation, RETENTION, toSuccessor } from './owed.ts'
import type { RevocableToken } from './revocable.ts'

const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 300_000
/** A provider that asks for more patience than this is asked again anyway. */
const LONGEST_RETRY_AFTER = 3_600_000

/** The tokens of many sessions may be owed together: what is not begun by then is left for later. */
const ATTEMPT = 60_000

/** One attempt at a revocation that is owed. What the provider did not confirm stays owed. */
export async function revokeOwed(
  context: Context,
  entry: StoredEntry,
  owed: OwedRevocation,
): Promise<void> {
  const attempts = owed.attempts + 1
  const left: RevocableToken[] = []
  const beginBefore = context.environment.now() + ATTEMPT
  let retryAt = 0
  for (const token of owed.tokens) {
    if (context.environment.now() > beginBefore) {
      left.push(token)
      continue
    }
    const answer = await context.provider.revoke(token.value, token.hint)
    tell(context, { ...owed, attempts }, token, answer.outcome)
    if (answer.outcome !== 'failed') continue
    left.push(token)
    retryAt = Math.max(retryAt, answer.retryAt ?? 0)
  }
  const now = context.environment.now()
  const rest: OwedRevocation = { ...owed, tokens: left, attempts }
  const isTooLate = now - owed.owedSince >= RETENTION
  if (isTooLate) tellAbandoned(context, rest)
  if (isTooLate || left.length === 0) {
    await context.store.remove(entry.id)
    return
  }
  const pause = Math.min(FIRST_PAUSE * 2 ** Math.min(attempts - 1, 10), LONGEST_PAUSE)
  const dueAt = Math.max(now + pause, Math.min(retryAt, now + LONGEST_RETRY_AFTER))
  const vault = await context.keyring.load()
  const { record } = toSuccessor(context, vault, context.provider, entry.id, { ...rest, dueAt })
  await context.store.replace(entry.id, entry.value, record)
}

/** The alarm: these tokens may live on at the provider, and nobody will try again. */
export function tellAbandoned(context: Context, owed: OwedRevocation): void {
  for (const token of owed.tokens) tell(context, owed, token, 'abandoned')
}

function tell(
  context: Context,
  { receipt, attempts }: OwedRevocation,
  { hint }: RevocableToken,
  outcome: 'confirmed' | 'unsupported' | 'failed' | 'abandoned',
): void {
  context.emit({ type: 'revocation', receipt, token: hint, outcome, attempts })
}
