import { AuthError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { pagesUnder } from '../tokens/all-under.ts'
import type { StoredEntry } from '../tokens/store.ts'
import { openWork, owedIndex, type Work } from './owed.ts'
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
/** Longer than revoking the tokens of one session may take. */
const WORK_CLAIM = 120_000

/** Starts the rounds. Every process has a worker; a claim gives each piece of work to one. */
export function startWorker(context: Context): Worker {
  const stopping = new AbortController()
  let waking = new AbortController()
  let sweptAt = Number.NEGATIVE_INFINITY

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      waking = new AbortController()
      const next = await round().catch((error: unknown) => {
        // The store told `observe` already; anything else is our own fault and must be seen.
        if (!(error instanceof AuthError))
          context.emit({ type: 'worker_failed', error: String(error) })
        return ROUND
      })
      if (stopping.signal.aborted) return
      await context.environment.wait(next, AbortSignal.any([waking.signal, stopping.signal]))
    }
  }

  /** One look at everything owed. Resolves with the time until the next look, in milliseconds. */
  async function round(): Promise<number> {
    const vault = await context.keyring.load()
    let next = ROUND
    for await (const page of pagesUnder(context, owedIndex(vault))) {
      const due: (() => Promise<void>)[] = []
      for (const entry of page) {
        const work = openWork(vault, entry.id, entry.value)
        if (work === undefined) continue
        const wait = work.dueAt - context.environment.now()
        if (wait > 0) next = Math.min(next, wait)
        else due.push(() => doWork(context, entry, work))
      }
      await inParallel(due, AT_ONCE)
      if (stopping.signal.aborted) break
    }
    if (context.environment.now() - sweptAt >= SWEEP_EVERY) {
      await sweepExpired(context)
      sweptAt = context.environment.now()
    }
    return next
  }

  const running = Promise.resolve().then(run)
  return {
    wake: () => waking.abort(),
    async stop() {
      stopping.abort()
      await running
    },
  }
}

async function doWork(context: Context, entry: StoredEntry, work: Work): Promise<void> {
  const vault = await context.keyring.load()
  const attempt = work.kind === 'revocation' ? work.attempts : work.dueAt
  const claim = vault.index('claim', 'work', entry.id, String(attempt))
  const until = (await context.store.now()) + WORK_CLAIM
  if (!(await context.store.claim(claim, until))) return
  if (work.kind === 'sign_out') {
    await removeSessions(context, work.order)
    await context.store.remove(entry.id)
  } else {
    await revokeOwed(context, entry, work)
  }
}

async function inParallel(jobs: readonly (() => Promise<void>)[], limit: number): Promise<void> {
  const queue = [...jobs]
  const lane = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job()
  }
  await Promise.all(Array.from({ length: limit }, lane))
}
