import type { EndedSession } from '../../places.ts'
import type { Context } from '../context.ts'
import { claimsOf } from '../session/claims.ts'
import type { SessionRecord } from '../session/record.ts'
import { handleOf } from '../session/ticket.ts'
import { sameHome } from '../tokens/home.ts'
import type { Successor } from '../tokens/store.ts'
import type { Vault } from '../tokens/vault.ts'
import type { ReadEntry } from './batch.ts'
import type { SignOutOrder } from './order.ts'
import { type OwedPlace, toSuccessor } from './owed.ts'

/**
 * So long the first attempt is left to whoever signed out and waits: they make it within seconds.
 * Where that process is gone by then, any other takes over.
 */
export const FIRST_ATTEMPT = 10_000

/** With so many sessions a piece takes no more: their claims may be large. */
const MANY = 64

/** What is owed to the places for sessions that are removed together. */
export interface OwedToPlaces {
  readonly owed: readonly Successor[]
  /** By a session's store id: the part of the removal that it is in, as {@link owedPlaceId} has it. */
  readonly parts: ReadonlyMap<string, string>
}

interface Opened {
  readonly id: string
  readonly record: SessionRecord
}

/**
 * What is owed to the places for sessions that one step removes, to be written in that very step.
 * Sessions of another application that shares the store are none of this one's places' business.
 */
export function oweToPlaces(
  context: Context,
  vault: Vault,
  order: SignOutOrder,
  removed: readonly ReadEntry[],
): OwedToPlaces {
  const owed: Successor[] = []
  const parts = new Map<string, string>()
  if (context.configuration.places.length === 0) return { owed, parts }
  const ours = removed.flatMap(({ entry: { id }, record }) =>
    record !== undefined && sameHome(record, context.provider) ? { id, record } : [],
  )
  for (let at = 0; at < ours.length; at += MANY) {
    const some = ours.slice(at, at + MANY)
    const part = `/${some[0]?.id}`
    for (const { id } of some) parts.set(id, part)
    owed.push(...toSuccessors(context, vault, order, part, some))
  }
  return { owed, parts }
}

/** Whom a sign-out names, for its order: nothing where no place would hear of it. */
export function namesFor(
  { configuration, provider }: Context,
  who: readonly Who[],
): Pick<SignOutOrder, 'names'> {
  if (configuration.places.length === 0) return {}
  return { names: who.map((one) => ({ issuer: provider.issuer, ...one })) }
}

/** Whom a sign-out named, at the provider of this application. */
export type Who =
  | { readonly sid: string; readonly subject?: string }
  | { readonly subject: string; readonly sid?: undefined }

/**
 * What is owed to the places where the store holds nothing of whom a sign-out named: they may.
 * Resolves when it is durable, with what tells it from what else the removal owes.
 */
export async function oweNamesToPlaces(
  context: Context,
  vault: Vault,
  order: SignOutOrder,
): Promise<string> {
  const part = ''
  for (const { id, record } of toSuccessors(context, vault, order, part, [])) {
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
  removed: readonly Opened[],
): Successor[] {
  const { issuer, clientId } = context.provider
  const { id: receipt, cause, at, names = [] } = order
  const ended = { receipt, cause, at, named: names, sessions: removed.map(toEnded) }
  const owedSince = context.environment.now()
  const dueAt = owedSince + (order.inBackground ? 0 : FIRST_ATTEMPT)
  return context.configuration.places.map(({ name: place }) => {
    const id = owedPlaceId(receipt, place, part)
    const home = { issuer, clientId }
    const work: OwedPlace = { kind: 'place', place, ...home, ended, attempts: 0, dueAt, owedSince }
    return toSuccessor(context, vault, home, id, work)
  })
}

function toEnded({ id, record }: Opened): EndedSession {
  const { issuer, subject, sids } = record
  return { handle: handleOf(id), issuer, subject, sid: sids.at(-1), claims: claimsOf(record) }
}
