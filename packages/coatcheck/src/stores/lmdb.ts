import { sameBytes } from '../core/tokens/bytes.ts'
import { letOthersIn } from '../core/tokens/let-others-in.ts'
import { ends } from '../core/tokens/marks.ts'
import type { IndexMark, Owe, RemovalStep, StoredEntry, TokenStore } from '../core/tokens/store.ts'
import { establishedIn, expiresAtIn, valueIn } from './layout/record-bytes.ts'
import { createEndingRows } from './lmdb/ending-rows.ts'
import { createJournal } from './lmdb/journal.ts'
import { isJournaled, openJournalFile } from './lmdb/journal-file.ts'
import {
  ALL_RECORDS,
  claimKey,
  endedRow,
  endRange,
  idIn,
  indexRange,
  recordId,
} from './lmdb/keys.ts'
import { createMarks } from './lmdb/marks.ts'
import { warnOfOptions } from './lmdb/options.ts'
import { recordWrites } from './lmdb/recording.ts'
import { createRecords, type HeldRecord, type Prepared, prepare, toEntry } from './lmdb/records.ts'
import { recover } from './lmdb/recover.ts'
import { createSteps } from './lmdb/steps.ts'
import { type LmdbDatabase, openTable } from './lmdb/table.ts'

export { type LmdbOptions, lmdbOptions } from './lmdb/options.ts'
export type { LmdbDatabase, LmdbTable } from './lmdb/table.ts'

/** What {@link lmdbStore} may be told. */
export interface LmdbStoreOptions {
  /** The clock, in milliseconds since the epoch. Default: this machine's. */
  readonly now?: () => number
}

/**
 * Keeps records in an LMDB environment, which any number of processes of one machine may share:
 * `lmdbStore(open({ path: './data', ...lmdbOptions }))` with `open` of the npm package `lmdb`, and
 * {@link lmdbOptions}, without which there is a warning. What was removed or
 * replaced, or inserted under an index, is on disk when the promise resolves: in a journal of 1 MB
 * beside the environment (`coatcheck.journal`, or `…-journal` beside an environment of one file),
 * which belongs to it like its other files. Throws a `TypeError` where the environment was written
 * by a version of coatcheck with another format, or its journal cannot be read and written.
 */
export function lmdbStore(database: LmdbDatabase, options: LmdbStoreOptions = {}): TokenStore {
  const { table: bare, pageSize } = openTable(database)
  warnOfOptions(database)
  const file = openJournalFile(database, bare)
  if (file !== undefined) recover(bare, file)
  const recording = recordWrites(bare)
  if (!isJournaled(database)) file?.close()
  const journal = createJournal(bare, recording, isJournaled(database) ? file : undefined)
  const steps = createSteps(bare, journal)
  const { table } = recording
  const opened = { table, pageSize }
  const now = options.now ?? (() => Date.now())
  const records = createRecords(opened)
  const rows = createEndingRows(table)
  const marks = createMarks(rows)

  /** What was read, by the values that were answered of it. */
  const answered = new WeakMap<Uint8Array, HeldRecord>()

  /** The record of an id, unless it has expired. */
  function current(id: string): HeldRecord | undefined {
    const held = records.read(id)
    return held !== undefined && isLive(held) ? held : undefined
  }

  function isLive({ bytes }: HeldRecord): boolean {
    return expiresAtIn(bytes) > now()
  }

  /** Up to `limit` records that these marks end, and whether there are more. */
  function findCovered(
    indexMarks: readonly IndexMark[],
    limit: number,
    resumed: boolean,
  ): { covered: HeldRecord[]; more: boolean } {
    const covered = new Map<string, HeldRecord>()
    for (const { index, mark } of indexMarks) {
      for (const key of table.getKeys(indexRange(index))) {
        const id = idIn(key)
        const held = covered.has(id) ? undefined : records.read(id)
        if (held === undefined || !ends(mark, establishedIn(held.bytes), resumed)) continue
        if (covered.size === limit) return { covered: [...covered.values()], more: true }
        covered.set(id, held)
      }
    }
    return { covered: [...covered.values()], more: false }
  }

  /** Removes up to `limit` rows that have ended, the first to end first. */
  function sweepRows(owe: Owes, limit: number): { rows: number; removed: StoredEntry[] } {
    const at = now()
    const keys = take(table.getKeys(endRange(at)), limit)
    const expired = keys.flatMap((key) => {
      const id = recordId(endedRow(key))
      const held = id === undefined ? undefined : records.read(id)
      return held !== undefined && expiresAtIn(held.bytes) <= at ? held : []
    })
    const removed = expired.map(toEntry)
    const owed = owe(removed)
    expired.forEach(records.erase)
    for (const key of keys) {
      const row = endedRow(key)
      // Compared once more: a mark that is lost too early lets somebody back in.
      if (recordId(row) === undefined && (rows.read(row)?.[0] ?? at) <= at) rows.erase(row)
      table.remove(key)
    }
    owed.forEach(records.write)
    return { rows: keys.length, removed }
  }

  return {
    now,

    get(id, known) {
      // Else lmdb may answer from a snapshot older than what another process finished writing.
      table.resetReadTxn()
      const before = known && answered.get(known)
      if (before?.id === id && records.isAsRead(before)) return isLive(before) ? known : undefined
      const held = current(id)
      if (held === undefined) return undefined
      const value = valueIn(held.bytes)
      answered.set(value, held)
      return value
    },

    async insert(id, record) {
      const prepared = prepare({ id, record })
      const write = (): boolean => {
        if (current(id) !== undefined || marks.refuse(record, now())) return false
        records.write(prepared)
        return true
      }
      // On disk too where it is found by an index: it may be a revocation that is owed. What is not
      // comes to the disk with the next that is, which is before anything that builds on it.
      return record.indexes.length > 0 ? steps.durable(write) : steps.visible(write)
    },

    async replace(id, previous, next) {
      const prepared = prepare({ id, record: next })
      // A refresh that is lost is a session that is lost, where the provider rotates.
      return steps.durable(() => {
        const held = current(id)
        if (held === undefined || !sameBytes(valueIn(held.bytes), previous)) return false
        if (marks.refuse(next, now())) return false
        records.write(prepared)
        return true
      })
    },

    async remove(id, owe) {
      return steps.durable(() => {
        const held = records.read(id)
        if (held === undefined) return undefined
        const entry = toEntry(held)
        const owed = preparing(owe)([entry])
        records.erase(held)
        owed.forEach(records.write)
        return entry.value
      })
    },

    async removeAll(indexMarks, { owe, limit, unfinished, resumed }) {
      const flag = prepare(unfinished)
      const step = (): RemovalStep => {
        const { covered, more } = findCovered(indexMarks, limit, resumed)
        const removed = covered.map(toEntry)
        const owed = preparing(owe)(removed)
        for (const { index, mark } of indexMarks) marks.leave(index, mark)
        covered.forEach(records.erase)
        owed.forEach(records.write)
        if (more && !records.has(flag.id)) records.write(flag)
        return { removed, more }
      }
      return steps.durable(step, ({ more }) => !more)
    },

    async list(index, { after, limit }) {
      table.resetReadTxn()
      const page: StoredEntry[] = []
      for (const key of table.getKeys(indexRange(index, after))) {
        if (page.length === limit) break
        const held = current(idIn(key))
        if (held !== undefined) page.push(toEntry(held))
      }
      if (page.length === limit) await letOthersIn()
      return page
    },

    async claim(key, until) {
      const row = claimKey(key)
      return steps.visible(() => {
        const [before] = rows.read(row) ?? []
        if (before !== undefined && before > now()) return false
        rows.write(row, [until])
        return true
      })
    },

    async sweep(owe, limit) {
      const removed: StoredEntry[] = []
      for (;;) {
        const left = limit - removed.length
        const step = await steps.durable(() => sweepRows(preparing(owe), left))
        removed.push(...step.removed)
        // Marks and claims are many: they must not keep expired records from being found.
        if (step.rows < left || removed.length === limit) return removed
      }
    },

    async isEmpty() {
      table.resetReadTxn()
      return take(table.getKeys(ALL_RECORDS), 1).length === 0
    },

    async close() {
      // The environment is the application's.
      steps.close()
      journal.close()
    },
  }
}

type Owes = (removed: readonly StoredEntry[]) => Prepared[]

/** What is owed for removed records, ready to be written: it must not fail after the removal. */
function preparing(owe: Owe | undefined): Owes {
  return (removed) => {
    if (owe === undefined || removed.length === 0) return []
    return owe(removed).map(prepare)
  }
}

function take<T>(all: Iterable<T>, limit: number): T[] {
  const taken: T[] = []
  for (const one of all) {
    if (taken.length === limit) break
    taken.push(one)
  }
  return taken
}
