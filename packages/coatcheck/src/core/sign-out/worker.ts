import type { Place } from '../../places.ts'
import type { Context } from '../context.ts'
import { pagesUnder } from '../tokens/all-under.ts'
import { owedIndex } from '../tokens/home.ts'
import type { StoredEntry } from '../tokens/store.ts'
import { attemptOf, claimAttempt } from './claim-attempt.ts'
import { createLull } from './lull.ts'
import {
  type OwedPlace,
  type OwedRevocation,
  type OwedTo,
  openWork,
  type UnfinishedSignOut,
  type Work,
} from './owed.ts'
import { removeSessions } from './remove.ts'
import { revokeOwed } from './revoke.ts'
import { ROUND, type Round, startRounds } from './rounds.ts'
import { sweepExpired } from './sweep.ts'
import { tellOwed } from './tell-places.ts'

/**
 * Does what is owed: revocations at the provider, what the application's places have yet to be told,
 * and removals that somebody left unfinished.
 */
export interface Worker {
  /** Something became owed: whoever does it looks now instead of at the next round. */
  wake(owed: OwedTo): void
  /** Resolves when what is under way is done. */
  stop(): Promise<void>
}

const SWEEP_EVERY = 60_000
/** So many revocations are sent to the provider at once, and so many sign-outs told to a place. */
const AT_ONCE = 4
/** Longer than one attempt at a piece of work may take. */
const WORK_CLAIM = 120_000

/**
 * Starts the rounds. Every process has a worker; a claim gives each piece of work to one. Removals
 * have rounds of their own, and so has each place: a provider that hangs must not keep anybody signed
 * in, nor a place keep another waiting.
 */
export function startWorker(context: Context): Worker {
  const stopping = new AbortController()
  const { signal } = stopping
  const lull = createLull(context.environment)
  let sweptAt = Number.NEGATIVE_INFINITY

  async function finishRemovals(): Promise<Round> {
    const looked = await lookFor(context, isUnfinished, finish, async (due) => {
      for (const each of due) await each()
    })
    if (context.environment.now() - sweptAt >= SWEEP_EVERY) {
      await sweepExpired(context)
      sweptAt = context.environment.now()
    }
    return looked
  }

  const some = (due: readonly Job[]): Promise<void> => inParallel(due, AT_ONCE, signal)

  const someInLull = (due: readonly Job[]): Promise<void> =>
    inParallel(due, AT_ONCE, signal, () => lull.come(signal))

  const revoke = (): Promise<Round> => lookFor(context, isRevocation, revokeOwed, someInLull)

  const tell = (place: Place): Promise<Round> => {
    const isItsOwn = (work: Work): work is OwedPlace =>
      work.kind === 'place' && work.place === place.name
    return lookFor(
      context,
      isItsOwn,
      (_, entry, work) => tellOwed(context, place, { entry, work }, signal),
      some,
    )
  }

  const removals = startRounds(context, finishRemovals, signal)
  const revocations = startRounds(context, revoke, signal)
  const places = new Map(
    context.configuration.places.map((place) => [
      place.name,
      startRounds(context, () => tell(place), signal),
    ]),
  )
  return {
    wake(owed) {
      if (owed.kind === 'revocation') lull.disturb()
      const rounds = owed.kind === 'revocation' ? revocations : places.get(owed.place)
      rounds?.wake()
    },
    async stop() {
      stopping.abort()
      await Promise.all([removals, revocations, ...places.values()].map(({ ended }) => ended))
    },
  }
}

type Job = () => Promise<void>

/** Looks through all that is owed, and has done what is due of one kind. */
async function lookFor<Kind extends Work>(
  context: Context,
  isWanted: (work: Work) => work is Kind,
  finishOne: (context: Context, entry: StoredEntry, work: Kind) => Promise<void>,
  doAll: (due: readonly Job[]) => Promise<void>,
): Promise<Round> {
  const { now } = context.environment
  const vault = await context.keyring.confirm()
  let next = ROUND
  let took = 0
  let from = now()
  for await (const page of pagesUnder(context, owedIndex(vault, context.provider))) {
    const due: Job[] = []
    for (const { id, value } of page) {
      const listed = openWork(vault, id, value)
      if (listed === undefined || !isWanted(listed)) continue
      const wait = listed.dueAt - now()
      if (wait > 0) {
        next = Math.min(next, wait)
        continue
      }
      due.push(async () => {
        const claimed = await claimAttempt(context, id, attemptOf(listed), WORK_CLAIM)
        if (claimed === undefined || !isWanted(claimed.work)) return
        await finishOne(context, claimed.entry, claimed.work)
      })
    }
    took += now() - from
    await doAll(due)
    from = now()
  }
  return { next, took }
}

function isUnfinished(work: Work): work is UnfinishedSignOut {
  return work.kind === 'sign_out'
}

function isRevocation(work: Work): work is OwedRevocation {
  return work.kind === 'revocation'
}

async function finish(
  context: Context,
  { id }: StoredEntry,
  work: UnfinishedSignOut,
): Promise<void> {
  await removeSessions(context, work.order, { resumed: true, isLeft: true })
  await context.store.remove(id)
}

/** Some at a time, each when its moment has come; begins none when the process is to end. */
async function inParallel(
  jobs: readonly Job[],
  limit: number,
  signal: AbortSignal,
  moment?: () => Promise<void>,
): Promise<void> {
  const queue = [...jobs]
  const lane = async (): Promise<void> => {
    while (queue.length > 0) {
      await moment?.()
      const job = signal.aborted ? undefined : queue.shift()
      if (job === undefined) return
      await job()
    }
  }
  await Promise.all(Array.from({ length: limit }, lane))
}
