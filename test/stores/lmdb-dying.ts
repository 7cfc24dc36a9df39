import { open } from 'lmdb'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import type { LmdbDatabase, LmdbTable } from '#coatcheck/stores/lmdb/table'
import { signOut } from './lmdb-worker.ts'

/*
 * Signs alice out, and is killed when the step is done and noted, and before it is committed.
 */
const database = open({ path: process.argv[2] as string, ...lmdbOptions })

function dying(table: LmdbTable): LmdbTable {
  table.transaction = new Proxy(table.transaction, {
    apply: (transaction, self, [action]) =>
      Reflect.apply(transaction, self, [
        () => {
          action()
          process.kill(process.pid, 'SIGKILL')
        },
      ]),
  })
  return table
}

const killed: LmdbDatabase = new Proxy(database, {
  get: (of, name) =>
    name === 'openDB'
      ? (options: Parameters<LmdbDatabase['openDB']>[0]) => dying(of.openDB(options))
      : Reflect.get(of, name),
})
await signOut(lmdbStore(killed), { index: 'alice', at: Date.now(), owed: 'owed' })
