import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { memoryStore } from '#coatcheck/stores/memory'
import type { WorldOptions } from './world.ts'

type OpenStore = WorldOptions['openStore']

/** Two callers in one process: every operation is one step by nature. */
export const inMemory: OpenStore = (now) => {
  const store = memoryStore({ now })
  return [store, store]
}

/** An LMDB environment in a folder of its own. */
export interface Folder {
  /** Two stores on the one environment, which is emptied first. */
  readonly openStore: OpenStore
  close(): Promise<void>
}

/** Opens one. */
export function openFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'coatcheck-interleavings-'))
  const database = open({ path, ...lmdbOptions })
  const table = database.openDB({ name: 'coatcheck', encoding: 'binary', keyEncoding: 'binary' })
  return {
    openStore(now) {
      table.clearSync()
      return [lmdbStore(database, { now }), lmdbStore(database, { now })]
    },
    async close() {
      await database.close()
      rmSync(path, { recursive: true, force: true })
    },
  }
}
