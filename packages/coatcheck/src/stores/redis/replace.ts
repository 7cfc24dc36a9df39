import { sameBytes } from '../../core/tokens/bytes.ts'
import type { StoredRecord } from '../../core/tokens/store.ts'
import { areRefusing } from './indexes.ts'
import type { Parts } from './insert.ts'
import { read, stampOf, stampOfLive, toLive, toOnItsWay } from './record.ts'

/**
 * Replaces a record that still holds `previous`. Where the indexes stay, every sign-out finds the
 * record by them all along, and a compare-and-set is enough. Where one is new, the record as it is
 * is put under it first; only when no mark is found there does the new value come (decision 009).
 */
export async function replace(
  parts: Parts,
  id: string,
  previous: Uint8Array,
  next: StoredRecord,
): Promise<boolean> {
  const { indexes, records } = parts
  const { expiresAt } = next
  const unique = [...new Set(next.indexes)]
  const looked = await Promise.all(unique.map((index) => indexes.look(index, expiresAt)))
  if (areRefusing(next, looked)) return false
  const bytes = toLive(next)
  let outcome = await records.swap(id, stampOfLive(previous), bytes, bytes, expiresAt)
  // Again where others move it too: as long as it holds the value nobody is told that it does not.
  while (outcome === 'elsewhere') outcome = await move(parts, id, previous, next)
  return outcome === 'done'
}

async function move(
  { indexes, records }: Parts,
  id: string,
  previous: Uint8Array,
  next: StoredRecord,
): Promise<'done' | 'gone' | 'elsewhere'> {
  const held = await records.read(id)
  if (held === undefined || !held.isLive || !sameBytes(held.value, previous)) return 'gone'
  const all = toOnItsWay(held, [...new Set([...held.indexes, ...next.indexes])])
  const begun = await records.swap(id, stampOf(held), held.bytes, all, held.expiresAt)
  if (begun !== 'done') return begun
  const stamp = stampOf(read(all))
  const dropAllBut = (kept: readonly string[], of: readonly string[]): Promise<unknown> =>
    Promise.all(
      of.filter((index) => !kept.includes(index)).map((index) => indexes.drop(index, [id])),
    )
  const added = next.indexes.map((index) => indexes.add(index, [id], next.expiresAt))
  if (areRefusing(next, await Promise.all(added))) {
    await records.swap(id, stamp, all, held.bytes, held.expiresAt)
    await dropAllBut(held.indexes, next.indexes)
    return 'gone'
  }
  const outcome = await records.swap(id, stamp, all, toLive(next), next.expiresAt)
  if (outcome === 'done') await dropAllBut(next.indexes, held.indexes)
  return outcome
}
