import {
  closeSync,
  constants,
  existsSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { HALF } from './journal-progress.ts'
import type { LmdbDatabase, LmdbTable } from './table.ts'

/** The file beside an environment that what was answered is in before the environment is flushed. */
export interface JournalFile {
  /** As many of these bytes as there are. */
  read(at: number, length: number): Buffer
  write(at: number, bytes: Uint8Array): void
  /**
   * Resolves when all that any process has written until now is on disk. Where this is the last that
   * is written for now it begins at once, and not a moment later: LMDB is about to flush its many
   * scattered pages, and the disk does first what it was asked first.
   */
  sync(isLast: boolean): Promise<void>
  /** Lets go of it. It is opened again when somebody writes. */
  close(): void
}

const SIZE = 2 * HALF
const flush = promisify(fdatasync)

/** Whether commits are flushed behind. If not, they wait for the disk themselves. */
export function isJournaled(database: LmdbDatabase): boolean {
  return Reflect.get(database, 'overlappingSync') === true
}

/**
 * Opens the journal of an environment, or answers nothing where it has none and no use for one: it
 * is not on disk, or is not {@link isJournaled}. Throws a `TypeError` where the file cannot be
 * read and written: what was answered before a loss of power may be in it.
 */
export function openJournalFile(database: LmdbDatabase, table: LmdbTable): JournalFile | undefined {
  const [path, isFile] = [Reflect.get(database, 'path'), Reflect.get(database, 'noSubdir') === true]
  if (typeof path !== 'string') return undefined
  const name = isFile ? `${path}-journal` : join(path, 'coatcheck.journal')
  // One that is there may have what was answered while the environment was opened in another way.
  if (!isJournaled(database) && !existsSync(name)) return undefined
  const mode = statSync(isFile ? path : join(path, 'data.mdb')).mode & 0o777
  const open = (): number => openSync(name, constants.O_RDWR | constants.O_CREAT, mode)

  let file: number | undefined
  let begun: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined
  let isUnderWay = false
  let count = 0

  function opened(): number {
    file ??= open()
    return file
  }

  /** All that was written until now; whoever waits for the next one goes along. */
  function begin(): Promise<void> {
    next = undefined
    const flushed = flush(opened())
    count += 1
    isUnderWay = true
    begun = flushed.finally(() => {
      isUnderWay = false
    })
    return begun
  }

  /** One for all who ask before the turn ends, or while one is under way that may miss their bytes. */
  async function beginNext(): Promise<void> {
    const before = count
    await Promise.all([begun.catch(() => undefined), endOfTurn()])
    return count > before ? begun : begin()
  }

  try {
    const now = opened()
    if (fstatSync(now).size < SIZE) table.transactionSync(() => fill(now))
    // Also where another process has made it: it may have died before it did this.
    fsyncSync(now)
    syncFolder(dirname(name))
  } catch (error) {
    throw new TypeError(`${name} cannot be used: let the process read and write that file.`, {
      cause: error,
    })
  }

  return {
    read(at, length) {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(opened(), bytes, 0, length, at))
    },

    write(at, bytes) {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(opened(), bytes, done, bytes.length - done, at + done)
      }
    },

    sync(isLast) {
      if (isLast && !isUnderWay) return begin()
      next ??= beginNext()
      return next
    },

    close() {
      const closing = file
      file = undefined
      if (closing === undefined) return
      const done = (): void => closeSync(closing)
      Promise.all([begun, next]).then(done, done)
    },
  }
}

/**
 * Room that is there already is flushed faster: only bytes change. Inside a transaction, so that no
 * other process has begun to write meanwhile.
 */
function fill(file: number): void {
  const { size } = fstatSync(file)
  try {
    if (size < SIZE) writeSync(file, Buffer.alloc(SIZE - size), 0, SIZE - size, size)
  } catch {
    // No room: then it grows entry by entry, and what finds none waits for the environment.
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function syncFolder(name: string): void {
  const folder = openSync(name, constants.O_RDONLY)
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
