import { sameBytes } from '../../core/tokens/bytes.ts'
import { DIGEST, DIGEST_AT, encodeEntry, type WrittenRow } from './journal-entry.ts'
import type { JournalFile } from './journal-file.ts'
import {
  advance,
  LARGEST,
  type Progress,
  placeOf,
  readProgress,
  writeProgress,
} from './journal-progress.ts'
import type { Recording } from './recording.ts'
import type { LmdbTable } from './table.ts'

/**
 * What steps wrote, one entry each, in the order in which they ran: whoever waits for the disk waits
 * for a few pages here, and not for the many scattered ones of the environment (decision 018).
 */
export interface Journal {
  /** Inside a transaction: does the work, and notes what it wrote. */
  noting<T>(work: () => T): Noted<T>
  /** Tells of each step whether every process sees what it wrote by now. */
  visible(): (step: Noted<unknown>) => boolean
  /**
   * Resolves when all that any process has noted until now is on disk: soonest where this is the last
   * for now.
   */
  sync(isLast: boolean): Promise<void>
  /** Tells it that the environment has all steps up to this one, on disk. */
  flushed(number: number): void
  close(): void
}

/** A step that was done. */
export interface Noted<T> {
  readonly done: T
  /** Of the last step that wrote something. */
  readonly number: number
  /** Whether LMDB has something to flush. */
  readonly isWritten: boolean
  /**
   * Whether it and all before it are in the journal or in the environment on disk, as soon as the
   * journal is. If not, the environment has to be waited for.
   */
  readonly isNoted: boolean
  /** The last entry that it depends on, or nothing where there is none: then only LMDB can tell. */
  readonly entry: Place | 'committed' | undefined
}

/** An entry, and where it was written. */
export interface Place {
  readonly at: number
  readonly digest: Uint8Array
}

/**
 * The journal of a table. Without a file nothing is noted, and neither is what is too large or finds
 * no room: that leaves a *hole*, and until the environment is flushed the journal shows nothing.
 */
export function createJournal(
  table: LmdbTable,
  { take }: Recording,
  file: JournalFile | undefined,
): Journal {
  let known = 0
  let isTrusted = true
  /** What this process wrote last: it may not be committed yet. */
  let last: { readonly number: number; readonly entry: Noted<unknown>['entry'] } | undefined

  function note(
    before: Progress,
    rows: readonly WrittenRow[],
  ): [Progress, Noted<unknown>['entry']] {
    const number = before.number + 1
    const hole = { ...before, number, hole: number }
    if (file === undefined || !isTrusted || before.flushed < before.overwrites)
      return [hole, undefined]
    const { bytes, digest } = encodeEntry(number, before.digest, rows)
    if (bytes.length > LARGEST) return [hole, undefined]
    const at = placeOf(before)
    try {
      file.write(at, bytes)
    } catch {
      // Nothing is lost: LMDB writes to the same disk, and tells whoever waits if it cannot.
      return [hole, undefined]
    }
    return [advance(before, bytes.length, digest), { at, digest }]
  }

  function noteAll(): Omit<Noted<unknown>, 'done'> {
    const rows = take()
    const row = readProgress(table)
    const before = { ...row, flushed: Math.max(row.flushed, known) }
    const [progress, entry] = rows.length === 0 ? [before, entryOf(before)] : note(before, rows)
    const { number } = progress
    if (rows.length > 0) last = { number, entry }
    const isNoted = isTrusted && progress.hole <= progress.flushed
    // Where the environment is waited for, there must be something for it to flush.
    const isWritten = rows.length > 0 || !isNoted
    if (isWritten) writeProgress(table, progress)
    return { number, isWritten, isNoted, entry }
  }

  /** What others wrote is committed; what we wrote may be in the very transaction we are in. */
  function entryOf({ number }: Progress): Noted<unknown>['entry'] {
    return last?.number === number ? last.entry : 'committed'
  }

  return {
    noting(work) {
      take()
      try {
        const done = work()
        return { done, ...noteAll() }
      } catch (error) {
        // Work throws before it writes. If it did not, what it wrote is written, and has to be here.
        noteAll()
        throw error
      }
    },

    visible() {
      table.resetReadTxn()
      const { number, hole } = readProgress(table)
      return (step) => {
        // Another store on this environment may have written it in the very transaction of the step.
        if (step.entry === 'committed') return number >= step.number
        // Had its commit failed, another step had its number: and its place, or left a hole.
        if (step.entry === undefined || number < step.number || hole >= step.number) return false
        return (
          file !== undefined &&
          sameBytes(file.read(step.entry.at + DIGEST_AT, DIGEST), step.entry.digest)
        )
      }
    },

    async sync(isLast) {
      try {
        await file?.sync(isLast)
        // The system tells of what it dropped only once, and all that comes later is tied to it.
        if (!isTrusted) throw new Error('The journal could not be written to disk before.')
      } catch (error) {
        // The system may have dropped what it could not write: nothing in the file counts any more.
        isTrusted = false
        throw error
      }
    },

    flushed(number) {
      known = Math.max(known, number)
    },

    close() {
      file?.close()
    },
  }
}
