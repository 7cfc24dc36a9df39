import type { Ended } from '../../places.ts'
import type { Context } from '../context.ts'
import type { TokenSet } from '../provider/types.ts'
import { type Home, owedIndex } from '../tokens/home.ts'
import type { Successor } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import type { SignOutOrder } from './order.ts'
import { newReceiptId } from './receipt-id.ts'
import { type RevocableToken, tokensOfSet } from './revocable.ts'

/** What somebody promised and has to do, kept sealed in the store until it is done. */
export type Work = OwedAttempts | UnfinishedSignOut

/** What is tried again until somebody else confirms it, or for so long that it is given up. */
export type OwedAttempts = OwedRevocation | OwedPlace

/** Tokens that the provider has to be told to revoke. */
export interface OwedRevocation {
  readonly kind: 'revocation'
  readonly receipt: string
  /** Those the provider has not confirmed yet. */
  readonly tokens: readonly RevocableToken[]
  readonly attempts: number
  readonly dueAt: number
  readonly owedSince: number
}

/** A sign-out that a place of the application has to be told. Of whose sessions it is, as a session says it. */
export interface OwedPlace extends Home {
  readonly kind: 'place'
  /** Its name. */
  readonly place: string
  readonly ended: Ended
  readonly attempts: number
  readonly dueAt: number
  readonly owedSince: number
}

/** A removal that somebody began; due when whoever began it should have finished long ago. */
export interface UnfinishedSignOut {
  readonly kind: 'sign_out'
  readonly order: SignOutOrder
  readonly dueAt: number
}

/** Whom something is owed to: the provider, or one of the application's places. */
export type OwedTo = Pick<OwedRevocation, 'kind'> | Pick<OwedPlace, 'kind' | 'place'>

/** What nobody has confirmed for so long is given up, with an alarm. */
export const RETENTION: number = 24 * 3_600_000
/**
 * The worker looks at it last; only then may the store sweep it. A removal that is unfinished is kept
 * for as long as a session that it has not reached may live, however long no process is there.
 */
const SWEEP_AFTER = RETENTION + 3_600_000

/** Work as a record of whom it concerns, to be written in the same step as a removal. */
export function toSuccessor(
  context: Context,
  vault: Vault,
  home: Home,
  id: string,
  work: Work,
): Successor {
  const [since, sweepAfter] =
    work.kind === 'sign_out'
      ? [work.order.at, context.configuration.lifetime + SWEEP_AFTER]
      : [work.owedSince, SWEEP_AFTER]
  return {
    id,
    record: {
      value: vault.seal('work', id, work),
      expiresAt: Math.max(since, context.environment.now()) + sweepAfter,
      established: { provider: Number.MAX_SAFE_INTEGER, here: Number.MAX_SAFE_INTEGER },
      indexes: [owedIndex(vault, home)],
    },
  }
}

/** What stored work says, or nothing where it is not work or not readable. */
export function openWork(vault: Vault, id: string, bytes: Uint8Array): Work | undefined {
  return vault.open('work', id, bytes).content as Work | undefined
}

/**
 * Has a token set revoked that nobody may keep: its session ended before it came. Resolves with
 * the name under which its revocations are told, when they are durable.
 */
export function oweRevocation(context: Context, set: TokenSet): Promise<string> {
  return oweTokens(context, tokensOfSet(set))
}

/** The same of any tokens. */
export async function oweTokens(
  context: Context,
  tokens: readonly RevocableToken[],
): Promise<string> {
  const vault = await context.keyring.load()
  const receipt = newReceiptId(context)
  const now = context.environment.now()
  const work: Work = {
    kind: 'revocation',
    receipt,
    tokens,
    attempts: 0,
    dueAt: now,
    owedSince: now,
  }
  const { id, record } = toSuccessor(context, vault, context.provider, `w.${receipt}`, work)
  await context.store.insert(id, record)
  context.wakeWorker({ kind: 'revocation' })
  return receipt
}

/** The same order, with its revocations due a little later: others are still to be removed. */
export function delayRevocations(order: SignOutOrder, now: number): SignOutOrder {
  const { revokeAt } = order
  if (revokeAt === undefined) return order
  return { ...order, revokeAt: Math.max(revokeAt, now + DELAY) }
}

/** A worker that begins with them while the removal goes on takes its time, at the store and here. */
const DELAY = 2_000

/** Makes revocations due that waited for the browser's return. */
export async function hasten(context: Context, ids: readonly string[]): Promise<void> {
  const vault = await context.keyring.confirm()
  for (const id of ids) {
    const bytes = await context.store.get(id)
    const work = bytes === undefined ? undefined : openWork(vault, id, bytes)
    if (bytes === undefined || work?.kind !== 'revocation' || work.attempts > 0) continue
    const next = { ...work, dueAt: context.environment.now() }
    const { record } = toSuccessor(context, vault, context.provider, id, next)
    await context.store.replace(id, bytes, record)
  }
  context.wakeWorker({ kind: 'revocation' })
}
