import { open } from 'lmdb'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { recordOf } from './lmdb-worker.ts'

/*
 * A process that frees many pages of an environment (`free`), or starts on one (`start`): it writes
 * while somebody still reads what was there at first, so that what it frees cannot be used again.
 */
const [path = '', work] = process.argv.slice(2)
const database = open({ path, ...lmdbOptions })
const store = lmdbStore(database)

if (work === 'free') await freePages()
else await startOver()
await store.close()
await database.close()

/** Every other one, so that there are few places for more than one page, and one for a few. */
async function freePages(): Promise<void> {
  const ids = Array.from({ length: 6_000 }, (_, at) => idOf(at))
  await Promise.all(ids.map((id) => store.insert(id, found(id))))
  const freed = ids.filter((_, at) => at % 2 === 0 || at < 8)
  await Promise.all(freed.slice(0, 1_500).map((id) => store.remove(id)))
  await Promise.all(freed.slice(1_500).map((id) => store.remove(id)))
}

async function startOver(): Promise<void> {
  const reader = database.useReadTransaction()
  for (let at = 0; at < 20; at++) await store.remove(idOf(2 * at + 1))
  reader.done()
  for (let at = 20; at < 40; at++) await store.remove(idOf(2 * at + 1))
}

/** Far from the one before it, as tickets are. */
function idOf(at: number): string {
  return String((at * 7_919) % 10_007).padStart(43, '0')
}

function found(id: string) {
  return recordOf('x'.repeat(4_000), { indexes: [`user ${id}`] })
}
