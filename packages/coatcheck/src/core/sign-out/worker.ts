import { AuthError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { pagesUnder } from '../tokens/all-under.ts'
import { owedIndex } from '../tokens/home.ts'
import type { StoredEntry } from '../tokens/store.ts'
import { openWork, type Work } from './owed.ts'
import { removeSessions } from './remove.ts'
import { revokeOwed } from './revoke.ts'
import { sweepExpired } from './sweep.ts'

/** Does what is owed: revocations at the provider, and removals that somebody left unfinished. */
export interface Worker {
  /** Looks now instead of at the next round. */
  wake(): void
  /** Resolves when what is under way is done. */
  stop(): Promise<void>
}

const ROUND = 5_000
const SWEEP_EVERY = 60_000
/** So many revocations are sent to the provider at once. */
const AT_ONCE = 4
/** Longer than one attempt at a piece of work may take. */
const WORK_CLAIM = 120_000

/**
 * Starts the rounds. Every process has a worker; a claim gives each piece of work to one. Removals
 * have rounds of their own: a provider that hangs must not keep anybody signed in.
 */
export function startWorker(context: Context): Worker {
  const stopping = new AbortController()
  const { signal } = stopping
  let sweptAt = Number.NEGATIVE_INFINITY

  async function finishRemovals(): Promise<number> {
    const next = await lookFor(context, 'sign_out', async (due) => {
      for (const each of due) await each()
    })
    if (context.environment.now() - sweptAt >= SWEEP_EVERY) {
      await sweepExpired(context)
      sweptAt = context.environment.now()
    }
    return next
  }

  const revoke = (): Promise<number> =>
    lookFor(context, 'revocation', (due) => inParallel(due, AT_ONCE, signal))

  const rounds = [finishRemovals, revoke].map((round) => startRounds(context, round, signal))
  return {
    wake() {
      for (const each of rounds) each.wake()
    },
    async stop() {
      stopping.abort()
      await Promise.all(rounds.map((each) => each.ended))
    },
  }
}

/** Does something again and again; it says after how many milliseconds it wants to be done next. */
function startRounds(
  context: Context,
  round: () => Promise<number>,
  signal: AbortSignal,
): { readonly wake: () => void; readonly ended: Promise<void> } {
  let waking = new AbortController()

  async function run(): Promise<void> {
    while (!signal.aborted) {
      waking = new AbortController()
      const next = await round().catch((error: unknown) => {
        // The store told `observe` already; anything else is our own fault and must be seen.
        if (!(error instanceof AuthError)) {
          context.emit({ type: 'worker_failed', error: String(error) })
        }
        return ROUND
      })
      if (signal.aborted) return
      await context.environment.wait(next, AbortSignal.any([waking.signal, signal]))
    }
  }

  return { wake: () => waking.abort(), ended: Promise.resolve().then(run) }
}

/** Looks through all that is owed, and has done what is due of one kind. */
async function lookFor(
  context: Context,
  kind: Work['kind'],
  doAll: (due: readonly (() => Promise<void>)[]) => Promise<void>,
): Promise<number> {
  const vault = await context.keyring.confirm()
  let next = ROUND
  for await (const page of pagesUnder(context, owedIndex(vault, context.provider))) {
    const due: (() => Promise<void>)[] = []
    for (const entry of page) {
      const work = openWork(vault, entry.id, entry.value)
      if (work?.kind !== kind) continue
      const wait = work.dueAt - context.environment.now()
      if (wait > 0) next = Math.min(next, wait)
      else due.push(() => doWork(context, entry, work))
    }
    await doAll(due)
  }
  return next
}

async function doWork(context: Context, { id }: StoredEntry, listed: Work): Promise<void> {
  const vault = await context.keyring.load()
  const claim = vault.index('claim', 'work', id, attemptOf(listed))
  const until = (await context.store.now()) + WORK_CLAIM
  if (!(await context.store.claim(claim, until))) return
  // Since it was listed somebody may have done it, so long ago that their claim is over.
  const value = await context.store.get(id)
  const work = value && openWork(vault, id, value)
  if (value === undefined || work === undefined || attemptOf(work) !== attemptOf(listed)) return
  if (work.kind === 'sign_out') {
    await removeSessions(context, work.order, { resumed: true })
    await context.store.remove(id)
  } else {
    await revokeOwed(context, { id, value }, work)
  }
}

/** What a claim is for: of one piece of work each attempt is claimed anew. */
function attemptOf(work: Work): string {
  return String(work.kind === 'revocation' ? work.attempts : work.dueAt)
}

/** Some at a time; begins none when the process is to end. */
async function inParallel(
  jobs: readonly (() => Promise<void>)[],
  limit: number,
  signal: AbortSignal,
): Promise<void> {
  const queue = [...jobs]
  const lane = async (): Promise<void> => {
    while (!signal.aborted) {
      const job = queue.shift()
      if (job === undefined) return
      await job()
    }
  }
  await Promise.all(Array.from({ length: limit }, lane))
}
