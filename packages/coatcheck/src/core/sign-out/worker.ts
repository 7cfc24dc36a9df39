import { AuthError } from '../../errors.ts'
import type { Context } from '../context.ts'
import type { StoredEntry } from '../tokens/store.ts'
import { openWork, owedIndex, RETENTION, toSuccessor, type Work } from './owed.ts'
import { removeSessions } from './remove.ts'
import { sweepExpired } from './sweep.ts'

/** Does what is owed: revocations at the provider, and removals that somebody left unfinished. */
export interface Worker {
  /** Looks now instead of at the next round. */
  wake(): void
  /** Resolves when what is under way is done. */
  stop(): Promise<void>
}

type Revocation = Extract<Work, { kind: 'revocation' }>

const ROUND = 5_000
const SWEEP_EVERY = 60_000
const PAGE = 64
/** So many revocations are sent to the provider at once. */
const AT_ONCE = 4
/** Longer than revoking the tokens of one session may take. */
const WORK_CLAIM = 120_000
const LONGEST_PAUSE = 300_000

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
    let after: string | undefined
    for (;;) {
      const page = await context.store.list(owedIndex(vault), {
        limit: PAGE,
        ...(after !== undefined && { after }),
      })
      const due: (() => Promise<void>)[] = []
      for (const entry of page) {
        const work = openWork(vault, entry.id, entry.value)
        if (work === undefined) continue
        const wait = work.dueAt - context.environment.now()
        if (wait > 0) next = Math.min(next, wait)
        else due.push(() => doWork(context, entry, work))
      }
      await inParallel(due, AT_ONCE)
      after = page.at(-1)?.id
      if (page.length < PAGE || stopping.signal.aborted) break
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
    await revoke(context, entry, work)
  }
}

async function revoke(context: Context, entry: StoredEntry, work: Revocation): Promise<void> {
  const { receipt } = work
  const attempts = work.attempts + 1
  const left: Revocation['tokens'][number][] = []
  let retryAt = 0
  for (const token of work.tokens) {
    const answer = await context.provider.revoke(token.value, token.hint)
    const { outcome } = answer
    context.emit({ type: 'revocation', receipt, token: token.hint, outcome, attempts })
    if (outcome !== 'failed') continue
    left.push(token)
    retryAt = Math.max(retryAt, answer.retryAt ?? 0)
  }
  const now = context.environment.now()
  if (left.length === 0) return void (await context.store.remove(entry.id))
  if (now - work.owedSince >= RETENTION) {
    for (const { hint } of left) {
      context.emit({ type: 'revocation', receipt, token: hint, outcome: 'abandoned', attempts })
    }
    return void (await context.store.remove(entry.id))
  }
  const pause = Math.min(1000 * 2 ** Math.min(attempts - 1, 10), LONGEST_PAUSE)
  const dueAt = Math.max(now + pause, Math.min(retryAt, now + 3_600_000))
  const vault = await context.keyring.load()
  const next: Work = { ...work, tokens: left, attempts, dueAt }
  await context.store.replace(
    entry.id,
    entry.value,
    toSuccessor(context, vault, entry.id, next).record,
  )
}

/** Makes revocations due that waited for the browser's return. */
export async function hasten(context: Context, ids: readonly string[]): Promise<void> {
  const vault = await context.keyring.load()
  for (const id of ids) {
    const bytes = await context.store.get(id)
    const work = bytes === undefined ? undefined : openWork(vault, id, bytes)
    if (bytes === undefined || work?.kind !== 'revocation' || work.attempts > 0) continue
    const next = { ...work, dueAt: context.environment.now() }
    await context.store.replace(id, bytes, toSuccessor(context, vault, id, next).record)
  }
  context.wakeWorker()
}

async function inParallel(jobs: readonly (() => Promise<void>)[], limit: number): Promise<void> {
  const queue = [...jobs]
  const lane = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job()
  }
  await Promise.all(Array.from({ length: limit }, lane))
}
