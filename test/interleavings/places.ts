import { lmdbStore } from '#coatcheck/stores/lmdb'
import { memoryStore } from '#coatcheck/stores/memory'
import type { openEnvironment } from '../stores/environment.ts'
import type { WorldOptions } from './world.ts'

type OpenStore = WorldOptions['openStore']

/** Two callers in one process: every operation is one step by nature. */
export const inMemory: OpenStore = (now) => {
  const store = memoryStore({ now })
  return [store, store]
}

/** Two processes on one LMDB environment, which is emptied before each run. */
export function onDisk({ database }: ReturnType<typeof openEnvironment>): OpenStore {
  return (now) => {
    database.openDB({ name: 'coatcheck', keyEncoding: 'binary' }).clearSync()
    return [lmdbStore(database, { now }), lmdbStore(database, { now })]
  }
}
