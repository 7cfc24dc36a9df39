import type { LmdbTable } from './table.ts'

/** Work that runs alone among all processes that share the environment, and is written as a whole. */
export interface Steps {
  /** Resolves when every process sees what was written. */
  visible<T>(work: () => T): Promise<T>
  /**
   * Resolves when it is on disk besides, and survives a loss of power. Where `isLast` says that
   * more steps follow, it is on disk with the last of them.
   */
  durable<T>(work: () => T, isLast?: (done: T) => boolean): Promise<T>
}

/**
 * Steps on a table. Work that throws must do so before its first write: lmdb writes together what
 * many callers asked for at the same time, and does not undo one of them.
 */
export function createSteps(table: LmdbTable): Steps {
  let watching = false

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

  async function visible<T>(work: () => T): Promise<T> {
    try {
      const answer = table.transaction(work)
      watchBatch()
      return await answer
    } catch (error) {
      throw await causeOf(error)
    }
  }

  return {
    visible,

    async durable(work, isLast = () => true) {
      const answer = visible(work)
      // Asked for at once: a moment later `flushed` may stand for others' writes.
      const onDisk = Promise.resolve(table.flushed.then(() => undefined))
      // It may be that nobody waits for it.
      onDisk.catch(() => undefined)
      const done = await answer
      if (isLast(done)) await onDisk
      return done
    },
  }
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
