import type { Journal, Noted } from './journal.ts'
import type { LmdbTable } from './table.ts'
import { createWatch } from './watch.ts'

/** Work that runs alone among all processes that share the environment, and is written as a whole. */
export interface Steps {
  /** Resolves when every process sees what was written. */
  visible<T>(work: () => T): Promise<T>
  /**
   * Resolves when it is on disk besides, and survives a loss of power. Where `isLast` says that
   * more steps follow, it is on disk with the last of them.
   */
  durable<T>(work: () => T, isLast?: (done: T) => boolean): Promise<T>
  /** Reads no more by itself; steps under way end when lmdb has flushed them. */
  close(): void
}

/**
 * Steps on a table. Work that throws must do so before its first write: lmdb writes together what
 * many callers asked for at the same time, and does not undo one of them.
 */
export function createSteps(table: LmdbTable, journal: Journal): Steps {
  const watch = createWatch(journal)
  let watching = false
  /** Steps that have not run yet. Many may run in one transaction: then they share a flush. */
  let queued = 0

  /**
   * lmdb 3.5.6 makes a promise for each batch of writes that nobody gets. Where the disk is full,
   * it would end the process as an unhandled rejection, though every caller was told.
   */
  function watchBatch(): void {
    if (watching) return
    watching = true
    // lmdb has begun its batch by then: it asked for the same turn before us.
    setImmediate(() => {
      watching = false
      table.committed.then(undefined, () => undefined)
    })
  }

  async function transaction<T>(work: () => T): Promise<T> {
    try {
      const answer = table.transaction(work)
      watchBatch()
      return await answer
    } catch (error) {
      throw await causeOf(error)
    }
  }

  /** Resolves when it is visible; `onDisk` of what comes when it is on disk too. */
  function step<T>(
    work: () => T,
    isAwaited: (done: T) => boolean,
  ): Promise<{ readonly done: T; readonly onDisk: () => Promise<unknown> }> {
    return new Promise((resolve, reject) => {
      let step: Noted<T> | undefined
      let synced: Promise<void> | undefined
      let isQueued = true
      queued += 1
      const leaveQueue = (): void => {
        if (isQueued) queued -= 1
        isQueued = false
      }
      const committed = transaction((): Noted<T> => {
        leaveQueue()
        const noted = journal.noting(work)
        step = noted
        // Begun at once: it need not wait for the commit, and does not compete with what that flushes.
        if (noted.isNoted && isAwaited(noted.done)) synced = quietly(journal.sync(queued === 0))
        watch.add(noted, () => answer(noted))
        synced?.then(watch.look, ignored)
        return noted
      })
      // Asked for at once: a moment later `flushed` may stand for others' writes.
      const flushed = quietly(Promise.resolve(table.flushed.then(() => undefined)))
      // Where the disk refuses what is visible already, `flushed` never settles; its commit fails.
      const inEnvironment = async ({ isWritten }: Noted<T>): Promise<void> => {
        await committed
        // What it saw others write is not in what was flushed for it.
        if (synced !== undefined && !isWritten) await synced
        await flushed
      }
      const answer = (noted: Noted<T>): void => {
        const onDisk = (): Promise<void> =>
          synced?.catch(() => inEnvironment(noted)) ?? inEnvironment(noted)
        resolve({ done: noted.done, onDisk })
      }
      const letGo = (): void => {
        leaveQueue()
        if (step !== undefined) watch.letGo(step)
      }
      committed.finally(letGo).then((noted) => {
        answer(noted)
        if (noted.isWritten) flushed.then(() => journal.flushed(noted.number), ignored)
      }, reject)
    })
  }

  return {
    visible: async (work) => (await step(work, () => false)).done,

    async durable(work, isLast = () => true) {
      const { done, onDisk } = await step(work, isLast)
      if (isLast(done)) await onDisk()
      return done
    },

    close: watch.close,
  }
}

/** It may be that nobody waits for it. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignored)
  return promise
}

function ignored(): void {
  // Whoever asks hears of it.
}

/**
 * lmdb rejects with "Commit failed" and keeps the reason in a promise, which ends the process as
 * an unhandled rejection unless somebody looks at it, and which settles at once or never.
 */
async function causeOf(error: unknown): Promise<unknown> {
  const reason = error instanceof Error && 'commitError' in error ? error.commitError : undefined
  if (!(reason instanceof Promise)) return error
  const cause = reason.catch((told: unknown) => told)
  const soon = new Promise((resolve) => setImmediate(resolve, error))
  return new Error('LMDB could not write to disk.', { cause: await Promise.race([cause, soon]) })
}
