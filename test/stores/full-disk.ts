import { open } from 'lmdb'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { assertConsistent } from './consistency.ts'
import { recordOf } from './lmdb-worker.ts'

/*
 * Run with a limit on the size of a file: writes until there is no more room, and tells what the
 * store answered. An unhandled rejection ends the process with another code.
 */
const database = open({ path: process.argv[2] as string, ...lmdbOptions })
const store = lmdbStore(database)
const inserted: string[] = []
const refused: string[] = []

for (let round = 0; refused.length === 0; round++) {
  const several = Array.from({ length: 8 }, async (_, at) => {
    // In different turns of the event loop, so that lmdb has several batches under way.
    for (let turn = 0; turn < at; turn++) await new Promise(setImmediate)
    const id = `${round} ${at}`
    try {
      await store.insert(id, recordOf('x'.repeat(20_000), { indexes: ['all'] }))
      inserted.push(id)
    } catch (error) {
      refused.push(String(error))
    }
  })
  await Promise.all(several)
}
const lost = inserted.filter((id) => store.get(id) === undefined)
const removed = await store.remove(inserted[0] as string)
const room = await store.insert('after', recordOf('small'))
assertConsistent(database)
const told = { refused: refused[0], lost, removed: removed?.length, room }
process.stdout.write(JSON.stringify(told), () => process.exit(0))
