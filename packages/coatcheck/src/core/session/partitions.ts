import type { HasHeaders, Session } from '../../auth.ts'
import { SignInRequired } from '../../sign-in-required.ts'
import type { Context } from '../context.ts'
import { defer } from '../sign-out/defer.ts'
import { oweTokens } from '../sign-out/owed.ts'
import { revocableOf } from '../sign-out/revocable.ts'
import { accessTokenOf } from '../tokens/access-token.ts'
import { allUnder } from '../tokens/all-under.ts'
import { sameBytes } from '../tokens/bytes.ts'
import { accountIndex } from '../tokens/home.ts'
import { isRevalidationDue } from '../tokens/revalidation.ts'
import { isStoreFailure } from '../tokens/store-failure.ts'
import { openSession } from './open.ts'
import type { Partition, PartitionToken } from './partition.ts'
import { readSession } from './read.ts'
import { type HeldSession, type SessionRecord, toStored } from './record.ts'
import { cookieName, handleOf, sessionIdOf, sessionIdOfHandle } from './ticket.ts'

/** Where `createAuth` keeps its {@link Partitions}, for the subpaths of the package only. */
export const partitions: unique symbol = Symbol('coatcheck.partitions')

/** Partitions of sessions, for plugins of other libraries' caches. */
export interface Partitions {
  /** Whose a request or a session is; `undefined` where it carries no ticket. */
  idOf(from: HasHeaders | Session): string | undefined
  /**
   * The live session as it is in the store, asked about at the provider where that is due: tokens
   * may be handed out from it. Rejects with {@link SignInRequired} when nobody is signed in.
   */
  read(id: string | undefined): Promise<SessionRecord>
  /**
   * Replaces a session's partition, by compare-and-set. `alter` is called with the record that it
   * replaces, again for each that came in between; it answers nothing to leave it as it is.
   * Resolves with `false` where it did, or where the session is over: nothing was written.
   */
  replace(
    id: string | undefined,
    alter: (record: SessionRecord) => Partition | 'none' | undefined,
  ): Promise<boolean>
  /**
   * Has those tokens revoked that are this client's and were given to a session that is over.
   * Resolves when that is durable.
   */
  revoke(id: string | undefined, tokens: readonly PartitionToken[]): Promise<void>
  /** Does something at once, or as soon as the store is back; then it rejects all the same. */
  insist<T>(what: string, work: () => Promise<T>): Promise<T>
  /** What to reject with where the session is over. */
  signInRequired(): SignInRequired
  /** Subjects of the sessions with tokens of this account, in whatever spelling. */
  subjectsOf(account: string): Promise<Set<string>>
}

/** Partitions over these parts. */
export function createPartitions(context: Context): Partitions {
  const { configuration, environment, keyring, provider, store } = context

  function required(): SignInRequired {
    return new SignInRequired(configuration.routes.signIn)
  }

  async function live(id: string): Promise<HeldSession> {
    const held = await readSession(context, id)
    if (held === undefined) throw required()
    return held
  }

  return {
    signInRequired: required,

    idOf(from) {
      if ('handle' in from) return sessionIdOfHandle(from.handle)
      return sessionIdOf(from, cookieName(configuration))
    },

    async read(id) {
      if (id === undefined) throw required()
      const { record } = await live(id)
      if (!record.mustRevalidate && !isRevalidationDue(context, record)) return record
      // Whoever may have a token of ours may have one of the partition; the bytes are read again.
      await accessTokenOf(context, id, {})
      return (await live(id)).record
    },

    async replace(id, alter) {
      if (id === undefined) return false
      const vault = await keyring.load()
      let last: Uint8Array | undefined
      for (;;) {
        const held = await readSession(context, id)
        // The very same bytes after a refusal: a mark covers them, and their removal is on its way.
        if (held === undefined || (last && sameBytes(last, held.bytes))) return false
        const partition = alter(held.record)
        if (partition === undefined) return false
        const { partition: _, ...rest } = held.record
        const record = partition === 'none' ? rest : { ...rest, partition }
        const next = toStored(vault, id, record, configuration)
        if (await store.replace(id, held.bytes, next)) return true
        last = held.bytes
      }
    },

    async revoke(id, tokens) {
      const ours = revocableOf(tokens, provider, environment.now())
      if (ours.length === 0) return
      const receipt = await oweTokens(context, ours)
      if (id !== undefined) context.emit({ type: 'refresh_lost', session: handleOf(id), receipt })
    },

    async insist(what, work) {
      try {
        return await work()
      } catch (error) {
        if (isStoreFailure(error)) defer(context, what, work)
        throw error
      }
    },

    async subjectsOf(account) {
      const vault = await keyring.load()
      const subjects = new Set<string>()
      const index = accountIndex(vault, provider, account.toLowerCase())
      for await (const { id, value } of allUnder(context, index)) {
        const record = await openSession(context, id, value)
        if (record !== undefined) subjects.add(record.subject)
      }
      return subjects
    },
  }
}
