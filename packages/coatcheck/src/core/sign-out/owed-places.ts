import type { EndedSession } from '../../places.ts'
import type { Context } from '../context.ts'
import { claimsOf } from '../session/claims.ts'
import type { SessionRecord } from '../session/record.ts'
import { handleOf } from '../session/ticket.ts'
import { sameHome } from '../tokens/home.ts'
import type { Successor } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import type { SignOutOrder } from './order.ts'
import { type OwedPlace, toSuccessor } from './owed.ts'

/** So many sessions a place is told of at once: their claims may be large. */
export const AT_ONCE = 64

/** A session that is removed, by its store id. */
export interface OpenedSession {
  readonly id: string
  readonly record: SessionRecord
}

/** What is owed to all places for some of the sessions of a removal. */
export interface OwedToPlaces {
  /** Tells it from what is owed for others: {@link owedPlaceId}. */
  readonly part: string
  readonly sessions: readonly OpenedSession[]
  readonly successors: readonly Successor[]
}

/**
 * What is owed to the places for sessions that one step removes, to be written in that very step.
 * Sessions of other applications that share the store are their places' business.
 */
export function oweToPlaces(
  context: Context,
  vault: Vault,
  order: SignOutOrder,
  removed: readonly OpenedSession[],
  dueAt: number,
): OwedToPlaces[] {
  const ours = removed.filter(({ record }) => sameHome(record, context.provider))
  const owed: OwedToPlaces[] = []
  for (let at = 0; at < ours.length; at += AT_ONCE) {
    const sessions = ours.slice(at, at + AT_ONCE)
    const part = `/${sessions[0]?.id}`
    owed.push({
      part,
      sessions,
      successors: toSuccessors(context, vault, order, part, sessions, dueAt),
    })
  }
  return owed
}

/**
 * What is owed to the places where the store holds nothing of whom a sign-out named: they may.
 * Resolves when it is durable, with what tells it from what else the removal owes.
 */
export async function oweNamesToPlaces(
  context: Context,
  vault: Vault,
  order: SignOutOrder,
  dueAt: number,
): Promise<string> {
  const part = ''
  for (const { id, record } of toSuccessors(context, vault, order, part, [], dueAt)) {
    await context.store.insert(id, record)
  }
  return part
}

/**
 * The store id of what a removal owes to a place. The part for sessions ends in the id of the first
 * of them, so that it is written where they are removed.
 */
export function owedPlaceId(receipt: string, place: string, part: string): string {
  return `w.${receipt}-${place}${part}`
}

function toSuccessors(
  context: Context,
  vault: Vault,
  order: SignOutOrder,
  part: string,
  removed: readonly OpenedSession[],
  dueAt: number,
): Successor[] {
  const { issuer, clientId } = context.provider
  const { id: receipt, cause, at, names = [] } = order
  const ended = { receipt, cause, at, named: names, sessions: removed.map(toEnded) }
  const owedSince = context.environment.now()
  return context.configuration.places.map(({ name: place }) => {
    const id = owedPlaceId(receipt, place, part)
    const home = { issuer, clientId }
    const work: OwedPlace = { kind: 'place', place, ...home, ended, attempts: 0, dueAt, owedSince }
    return toSuccessor(context, vault, home, id, work)
  })
}

function toEnded({ id, record }: OpenedSession): EndedSession {
  const { issuer, subject, sids } = record
  return { handle: handleOf(id), issuer, subject, sid: sids.at(-1), claims: claimsOf(record) }
}
