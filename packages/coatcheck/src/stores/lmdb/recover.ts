import { decodeEntry, type Entry, HEADER, lengthIn } from './journal-entry.ts'
import type { JournalFile } from './journal-file.ts'
import {
  advance,
  LARGEST,
  type Progress,
  placeOf,
  readProgress,
  writeProgress,
} from './journal-progress.ts'
import type { LmdbTable } from './table.ts'

/**
 * Does again what the journal has and the environment has not: after a loss of power LMDB goes back
 * to what it flushed last. Before anybody is served. Another process may be at it too: whoever has
 * the transaction does it, and the other finds nothing to do.
 */
export function recover(table: LmdbTable, file: JournalFile): void {
  if (nextEntry(file, readProgress(table)) === undefined) return
  table.transactionSync(() => {
    let progress = readProgress(table)
    for (;;) {
      const next = nextEntry(file, progress)
      if (next === undefined) break
      for (const { key, value } of next.entry.rows) {
        if (value === undefined) table.remove(key)
        else table.put(key, value)
      }
      progress = advance(progress, next.length, next.entry.digest)
    }
    writeProgress(table, progress)
  })
}

function nextEntry(
  file: JournalFile,
  progress: Progress,
): { readonly entry: Entry; readonly length: number } | undefined {
  const at = placeOf(progress)
  const header = file.read(at, HEADER)
  if (header.length < HEADER) return undefined
  const rest = lengthIn(header, progress.number + 1)
  if (rest === undefined || HEADER + rest > LARGEST) return undefined
  const bytes = file.read(at, HEADER + rest)
  const entry = bytes.length < HEADER + rest ? undefined : decodeEntry(bytes, progress.digest)
  return entry && { entry, length: bytes.length }
}
