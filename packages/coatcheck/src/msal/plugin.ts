import type { Auth, HasHeaders, Session } from '../auth.ts'
import { claimsOf } from '../core/session/claims.ts'
import { type Partition, tokensInPartition } from '../core/session/partition.ts'
import type { Partitions } from '../core/session/partitions.ts'
import type { SessionRecord } from '../core/session/record.ts'
import { AuthError } from '../errors.ts'
import {
  accountsIn,
  applyChange,
  type CacheChange,
  changeBetween,
  isEmpty,
  type Members,
  membersIn,
} from './cache-change.ts'
import { partitionsOf } from './partitions-of.ts'
import { isAnothers } from './same-user.ts'

/** The subset of MSAL Node's `TokenCache` that is used. */
export interface MsalTokenCache {
  serialize(): string
  deserialize(cache: string): void
}

/** The subset of MSAL Node's `TokenCacheContext` that is used. */
export interface MsalCacheContext {
  readonly cacheHasChanged: boolean
  readonly tokenCache: MsalTokenCache
}

/** An `ICachePlugin` of MSAL Node. */
export interface MsalCachePlugin {
  beforeCacheAccess(context: MsalCacheContext): Promise<void>
  afterCacheAccess(context: MsalCacheContext): Promise<void>
}

/** A cache without anything, as MSAL writes it. */
const EMPTY = '{"Account":{},"IdToken":{},"AccessToken":{},"RefreshToken":{},"AppMetadata":{}}'

/**
 * The cache plugin of one session, for a `ConfidentialClientApplication` that is made for one
 * request: what MSAL Node keeps is then part of the session's sealed record. Any sign-out removes
 * it with the session. A refresh in flight that comes after is refused: MSAL's call rejects with
 * `sign_in_required`, and the tokens that it got are revoked, where this client may.
 *
 * `from` is the request or its session. An ID token of another user than the session's is refused
 * (`id_token_invalid`). Throws a `TypeError` for an `auth` that `createAuth` did not make.
 */
export function msalCachePlugin(auth: Auth, from: HasHeaders | Session): MsalCachePlugin {
  const partitions = partitionsOf(auth)
  const id = partitions.idOf(from)
  /** What MSAL had in memory before it wrote something, and how the next one gets its turn. */
  const writes = new WeakMap<MsalCacheContext, { readonly before: Members; end(): void }>()
  /** When nobody writes: what one reads must not take the place of what another has not kept yet. */
  let turn = Promise.resolve()
  /** What MSAL, told to forget and to ask again, is to be given: it asks at once. */
  let given: string | undefined

  /** Puts this into MSAL's memory and nothing else, so that nothing that was removed is left there. */
  async function fill(cache: MsalTokenCache, text: string): Promise<void> {
    const overwrite: unknown = Reflect.get(cache, 'overwriteCache')
    if (typeof overwrite !== 'function') return cache.deserialize(text)
    given = text
    await overwrite.call(cache)
    // It asks nobody where it was made without a plugin.
    if (given !== undefined) cache.deserialize(text)
    given = undefined
  }

  async function myTurn(): Promise<() => void> {
    const before = turn
    let end = (): void => undefined
    turn = new Promise((resolve) => {
      end = resolve
    })
    await before
    return end
  }

  async function read(): Promise<string> {
    return cacheToLoad((await partitions.read(id)).partition)
  }

  return {
    async beforeCacheAccess(context) {
      const { tokenCache, cacheHasChanged } = context
      if (given !== undefined) {
        tokenCache.deserialize(given)
        given = undefined
        return
      }
      if (cacheHasChanged) {
        const end = await myTurn()
        // MSAL has tokens in hand: whatever goes wrong now is told when we have them too.
        const text = await read().catch(() => undefined)
        if (text !== undefined) tokenCache.deserialize(text)
        writes.set(context, { before: membersIn(tokenCache.serialize()), end })
        return
      }
      try {
        await fill(tokenCache, await read())
      } catch (error) {
        await fill(tokenCache, EMPTY)
        throw error
      }
    },

    async afterCacheAccess(context) {
      const begun = writes.get(context)
      if (begun === undefined) return
      writes.delete(context)
      const { tokenCache } = context
      const { before, end } = begun
      try {
        const change = changeBetween(before, membersIn(tokenCache.serialize()))
        await write(partitions, id, before, change)
      } catch (error) {
        await fill(tokenCache, EMPTY)
        throw error
      } finally {
        end()
      }
    },
  }
}

/** Keeps what MSAL did. Where it may not be kept, it is revoked, and MSAL's caller must not get it. */
async function write(
  partitions: Partitions,
  id: string | undefined,
  before: Members,
  change: CacheChange,
): Promise<void> {
  const brings = !isEmpty(change.written)
  if (!brings && Object.keys(change.removed).length === 0) return
  let isAnotherUser = false
  const work = async (): Promise<boolean> => {
    const kept = await partitions.replace(id, (record) => {
      isAnotherUser = areAnothers(change, record)
      return isAnotherUser ? undefined : altered(record, before, change)
    })
    if (!kept && brings) {
      const cache = JSON.stringify(change.written)
      await partitions.revoke(id, tokensInPartition({ cache }))
    }
    return kept
  }
  const kept = await partitions.insist('What MSAL was given', work)
  if (kept || !brings) return
  if (isAnotherUser) {
    throw new AuthError(
      'id_token_invalid',
      "MSAL signed in another user than the session's: sign out first, and in again as that user.",
    )
  }
  throw partitions.signInRequired()
}

/** The partition after a change, or nothing where the account was removed since MSAL read it. */
function altered(
  { partition }: SessionRecord,
  before: Members,
  change: CacheChange,
): Partition | 'none' | undefined {
  const members = membersIn(partition?.cache ?? EMPTY)
  const [there, known] = [accountsIn(members), accountsIn(before)]
  for (const account of accountsIn(change.written)) {
    if (known.has(account) && !there.has(account)) return undefined
  }
  const next = applyChange(members, change)
  if (isEmpty(next)) return 'none'
  return { accounts: [...accountsIn(next)], cache: JSON.stringify(next) }
}

function areAnothers({ written }: CacheChange, record: SessionRecord): boolean {
  const known = claimsOf(record)
  return Object.values(written['IdToken'] ?? {}).some((member) => isAnothers(member, record, known))
}

/**
 * What MSAL gets to read. Without `refresh_on` it refreshes a token when it needs another, and not
 * while it holds one that it will hand out whatever happens meanwhile.
 */
function cacheToLoad(partition: Partition | undefined): string {
  const { AccessToken = {}, ...others } = membersIn(partition?.cache ?? EMPTY)
  const access = Object.entries(AccessToken).map(([key, { refresh_on: _, ...token }]) => [
    key,
    token,
  ])
  return JSON.stringify({ ...membersIn(EMPTY), ...others, AccessToken: Object.fromEntries(access) })
}
