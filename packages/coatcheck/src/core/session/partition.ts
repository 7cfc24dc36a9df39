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

/** A token in a partition that the client of this deployment may have revoked. */
export interface PartitionToken {
  readonly kind: 'refresh' | 'access'
  readonly value: string
}

/**
 * The tokens of this client in a partition that still live, refresh tokens first. Those that
 * another client got cannot be revoked by this one (RFC 7009 section 2.1).
 */
export function tokensInPartition(
  { cache }: Pick<Partition, 'cache'>,
  clientId: string,
  now: number,
): PartitionToken[] {
  const { RefreshToken = {}, AccessToken = {} } = JSON.parse(cache) as Sections
  const ours = (members: Members): Member[] =>
    Object.values(members).filter((member) => member.client_id === clientId)
  const live = ours(AccessToken).filter(({ expires_on }) => Number(expires_on) * 1000 > now)
  return [
    ...ours(RefreshToken).map(({ secret }) => ({ kind: 'refresh', value: secret }) as const),
    ...live.map(({ secret }) => ({ kind: 'access', value: secret }) as const),
  ]
}

interface Sections {
  readonly RefreshToken?: Members
  readonly AccessToken?: Members
}

type Members = Readonly<Record<string, Member>>

interface Member {
  readonly client_id: string
  readonly secret: string
  readonly expires_on?: string
}
