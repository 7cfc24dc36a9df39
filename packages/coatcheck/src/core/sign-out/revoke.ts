import type { Context } from '../context.ts'
import type { StoredEntry } from '../tokens/store.ts'
import type { OwedRevocation } from './owed.ts'
import { endAttempt } from './retry.ts'
import type { RevocableToken } from './revocable.ts'

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
    const { outcome } = answer
    const { receipt } = owed
    context.emit({ type: 'revocation', receipt, token: token.hint, outcome, attempts })
    if (answer.outcome !== 'failed') continue
    left.push(token)
    retryAt = Math.max(retryAt, answer.retryAt ?? 0)
  }
  const rest = left.length === 0 ? undefined : { ...owed, tokens: left, attempts }
  await endAttempt(context, entry, rest, retryAt)
}
