import type { TokenSet } from '../provider/types.ts'
import { type PartitionToken, tokensInPartition } from '../session/partition.ts'
import type { SessionRecord } from '../session/record.ts'
import type { Home } from '../tokens/home.ts'

/** A token the provider shall revoke (RFC 7009). */
export interface RevocableToken {
  readonly hint: 'refresh_token' | 'access_token'
  readonly value: string
}

/** Of a session: the refresh token first, since that often ends the others, then what still lives. */
export function tokensToRevoke(record: SessionRecord, now: number): RevocableToken[] {
  const live = record.accessTokens.filter((token) => token.expiresAt > now)
  const own = inOrder(
    record.refreshToken,
    live.map((token) => token.value),
  )
  const { partition } = record
  if (partition === undefined) return own
  return [...own, ...revocableOf(tokensInPartition(partition), record, now)]
}

/** Those of another library's tokens that this client may have revoked, as far as they live. */
export function revocableOf(
  tokens: readonly PartitionToken[],
  { clientId }: Pick<Home, 'clientId'>,
  now: number,
): RevocableToken[] {
  return tokens
    .filter((token) => token.clientId === clientId && token.expiresAt > now)
    .map(({ hint, value }) => ({ hint, value }))
}

/** Of an answer of the token endpoint that nobody may keep. */
export function tokensOfSet({ refreshToken, accessToken }: TokenSet): RevocableToken[] {
  return inOrder(refreshToken, [accessToken])
}

function inOrder(refresh: string | undefined, access: readonly string[]): RevocableToken[] {
  return [
    ...(refresh === undefined ? [] : [{ hint: 'refresh_token' as const, value: refresh }]),
    ...access.map((value) => ({ hint: 'access_token' as const, value })),
  ]
}
