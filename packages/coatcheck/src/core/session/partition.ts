/**
 * The part of another library's token cache that is one session's. It lives in the session's own
 * record, so that no removal, mark or limit can take the one without the other (decision 015).
 */
export interface Partition {
  /** Home account ids in it, in lower case: the session is found by each. */
  readonly accounts: readonly string[]
  /** As the library wrote it: JSON of the cache that all MSALs share. */
  readonly cache: string
}

/** A token in a partition. */
export interface PartitionToken {
  readonly hint: 'refresh_token' | 'access_token'
  readonly value: string
  /** Which client got it: no other one can have it revoked (RFC 7009 section 2.1). */
  readonly clientId: string
  /** Milliseconds since the epoch; nobody knows it of a refresh token. */
  readonly expiresAt: number
}

/** The tokens in a partition, refresh tokens first: revoking one often ends the others. */
export function tokensInPartition({ cache }: Pick<Partition, 'cache'>): PartitionToken[] {
  const { RefreshToken = {}, AccessToken = {} } = JSON.parse(cache) as Sections
  return [
    ...Object.values(RefreshToken).map((member) => toToken('refresh_token', member)),
    ...Object.values(AccessToken).map((member) => toToken('access_token', member)),
  ]
}

interface Sections {
  readonly RefreshToken?: Readonly<Record<string, Member>>
  readonly AccessToken?: Readonly<Record<string, Member>>
}

interface Member {
  readonly client_id: string
  readonly secret: string
  /** Seconds since the epoch, of an access token. */
  readonly expires_on?: string
}

function toToken(
  hint: PartitionToken['hint'],
  { client_id, secret, expires_on }: Member,
): PartitionToken {
  const expiresAt = expires_on === undefined ? Number.POSITIVE_INFINITY : Number(expires_on) * 1000
  return { hint, value: secret, clientId: client_id, expiresAt }
}
