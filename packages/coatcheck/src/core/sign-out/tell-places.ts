import type { SignOutReceipt } from '../../events.ts'
import type { Ended, Place } from '../../places.ts'
import type { Context } from '../context.ts'
import { isStoreFailure } from '../tokens/store-failure.ts'
import { type ClaimedWork, claimAttempt } from './claim-attempt.ts'
import type { OwedPlace } from './owed.ts'
import { FIRST_ATTEMPT, owedPlaceId } from './owed-places.ts'
import { endAttempt } from './retry.ts'
import { within } from './within.ts'

/** Whoever signs out waits so long for the places. */
const LIMIT = 3_000
/** Where nobody waits, a slow place may take longer: less than a worker's claim lasts. */
const LONG_LIMIT = 30_000
/** So many pieces of what one removal owes a place are told at once. */
const PIECES = 16

type Told = SignOutReceipt['places'][number]

/**
 * The first attempt, while whoever signed out waits: all places at once, each told of all `parts`
 * of the removal. What does not come to an end in time stays owed, and workers go on with it.
 */
export function tellPlaces(
  context: Context,
  receipt: string,
  parts: readonly string[],
): Promise<Told[]> {
  return within(context, LIMIT, undefined, (over) =>
    Promise.all(
      context.configuration.places.map(async (place): Promise<Told> => {
        const ids = parts.map((part) => owedPlaceId(receipt, place.name, part))
        const answer = await tellFirst(context, place, ids, over)
        if (answer === 'failed') return { name: place.name, outcome: 'owed', removed: undefined }
        return { name: place.name, outcome: 'done', removed: answer }
      }),
    ),
  )
}

/** What a receipt says while all that is owed is. */
export function stillOwed({ configuration }: Context, isAny: boolean): Told[] {
  if (!isAny) return []
  return configuration.places.map(({ name }) => ({ name, outcome: 'owed', removed: undefined }))
}

/** Wakes the workers of those places that a receipt says are owed. */
export function wakeForPlaces(context: Context, { places }: SignOutReceipt): void {
  for (const { name, outcome } of places) {
    if (outcome === 'owed') context.wakeWorker({ kind: 'place', place: name })
  }
}

/** One attempt of a worker. */
export async function tellOwed(
  context: Context,
  place: Place,
  claimed: ClaimedWork<OwedPlace>,
  stopping: AbortSignal,
): Promise<void> {
  await within(context, LONG_LIMIT, stopping, (over) => attempt(context, place, [claimed], over))
}

/** How many things a place found and removed, where it knows. */
type Answer = number | undefined | 'failed'

async function tellFirst(
  context: Context,
  place: Place,
  ids: readonly string[],
  over: AbortSignal,
): Promise<Answer> {
  let removed: Answer = 0
  try {
    for (let at = 0; at < ids.length; at += PIECES) {
      const some = ids.slice(at, at + PIECES)
      const found = await Promise.all(
        some.map((id) => claimAttempt(context, id, '0', FIRST_ATTEMPT)),
      )
      const claimed = found.filter(isOwedPlace)
      if (claimed.length === 0 || over.aborted) return 'failed'
      const answer = await attempt(context, place, claimed, over)
      // Somebody else may have begun with others.
      if (answer === 'failed' || claimed.length < some.length) return 'failed'
      removed = answer === undefined || removed === undefined ? undefined : removed + answer
    }
    return removed
  } catch (error) {
    // The store told the observer. What is owed is in it, and becomes due by itself.
    if (isStoreFailure(error)) return 'failed'
    throw error
  }
}

function isOwedPlace(claimed: ClaimedWork | undefined): claimed is ClaimedWork<OwedPlace> {
  return claimed?.work.kind === 'place'
}

/** Tells a place of several pieces at once that one removal owes it. */
async function attempt(
  context: Context,
  place: Place,
  claimed: readonly ClaimedWork<OwedPlace>[],
  over: AbortSignal,
): Promise<Answer> {
  const [first] = claimed
  if (first === undefined) return 0
  const { attempts: before, ended } = first.work
  const sessions = claimed.flatMap(({ work }) => work.ended.sessions)
  const answer = await ask(place, { ...ended, sessions }, over)
  const attempts = before + 1
  context.emit({
    type: 'place',
    receipt: ended.receipt,
    place: place.name,
    ...(answer === 'failed'
      ? { outcome: 'failed', removed: undefined }
      : { outcome: 'done', removed: answer }),
    attempts,
  })
  await Promise.all(
    claimed.map(({ entry, work }) =>
      endAttempt(context, entry, answer === 'failed' ? { ...work, attempts } : undefined),
    ),
  )
  return answer
}

/** Whatever a place does, it has failed when time is up; what it says of it may tell who it was. */
async function ask(place: Place, ended: Ended, over: AbortSignal): Promise<Answer> {
  const timeUp = new Promise<Answer>((resolve) => {
    if (over.aborted) resolve('failed')
    over.addEventListener('abort', () => resolve('failed'), { once: true })
  })
  // JSON has no undefined.
  const sessions = ended.sessions.map((session) => ({ ...session, sid: session.sid }))
  const asked = new Promise<number | undefined>((resolve) => {
    resolve(place.end({ ...ended, sessions }, over))
  })
  const answer = asked.then(countOf, (): Answer => 'failed')
  return Promise.race([answer, timeUp])
}

function countOf(removed: unknown): number | undefined {
  return Number.isSafeInteger(removed) && Number(removed) >= 0 ? Number(removed) : undefined
}
