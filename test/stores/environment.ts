import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { lmdbOptions } from '#coatcheck/stores/lmdb'

/** An LMDB environment in a folder of its own. */
export interface TestEnvironment {
  readonly path: string
  readonly database: RootDatabase
  /** Closes it and removes the folder. */
  close(): Promise<void>
}

/** Opens a new and empty one. */
export function openEnvironment(): TestEnvironment {
  const path = mkdtempSync(join(tmpdir(), 'coatcheck-lmdb-'))
  const database = open({ path, ...lmdbOptions })
  return {
    path,
    database,
    async close() {
      await database.close()
      rmSync(path, { recursive: true, force: true })
    },
  }
}
