import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type RootDatabase, type RootDatabaseOptions } from 'lmdb'
import type { TokenStore } from '#coatcheck/core/tokens/store'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'

const PAGE = 4096

/** The files of an environment at one moment. */
export interface Files {
  readonly data: Buffer
  readonly journal: Buffer
}

/** Reads them as other processes see them. */
export function filesIn(path: string): Files {
  const [data, journal] = ['data.mdb', 'coatcheck.journal'].map((name) =>
    readFileSync(join(path, name)),
  )
  return { data: data as Buffer, journal: journal as Buffer }
}

/**
 * What a disk may hold of the environment's file when the power goes: it held `flushed`, and any of
 * the pages that were written since, also of those that say which transaction is the last. Only what
 * says up to where it was flushed is as old as that: LMDB writes it when all else is on disk.
 */
export function partlyWritten(flushed: Buffer, written: Buffer, arrives: () => boolean): Buffer {
  const disk = Buffer.alloc(Math.max(flushed.length, written.length))
  disk.set(flushed)
  for (let at = 0; at < written.length; at += PAGE) {
    const end = at === 0 ? PAGE / 2 : at + PAGE
    if (arrives()) disk.set(written.subarray(at, end), at)
  }
  return disk
}

/** An environment as it is found when the power is back. */
export interface Found {
  readonly path: string
  readonly database: RootDatabase
  readonly store: TokenStore
  close(): Promise<void>
}

/** Opens it as LMDB does on a machine that was started anew. */
export function find(
  { data, journal }: { data: Buffer; journal: Buffer | undefined },
  options: RootDatabaseOptions = {},
): Found {
  const path = mkdtempSync(join(tmpdir(), 'coatcheck-lmdb-'))
  writeFileSync(join(path, 'data.mdb'), data)
  if (journal !== undefined) writeFileSync(join(path, 'coatcheck.journal'), journal)
  // By itself it would notice that it is still the same day, and take what was never flushed.
  const database = open({ path, ...lmdbOptions, ...options, ...{ safeRestore: true } })
  const store = lmdbStore(database)
  return {
    path,
    database,
    store,
    async close() {
      await store.close()
      await database.close()
      rmSync(path, { recursive: true })
    },
  }
}
