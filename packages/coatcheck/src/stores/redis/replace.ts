import { sameBytes } from '../../core/tokens/bytes.ts'
import type { StoredRecord } from '../../core/tokens/store.ts'
import { areRefusing } from './indexes.ts'
import type { Parts } from './insert.ts'
import { stampOfLive, toLive, withIndexes } from './record.ts'

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
  const stamp = stampOfLive(previous)
  const outcome = await records.swap(id, stamp, bytes, bytes, expiresAt)
  return outcome === 'other_indexes'
    ? moveAndReplace(parts, id, previous, next)
    : outcome === 'done'
}

async function moveAndReplace(
  { indexes, records }: Parts,
  id: string,
  previous: Uint8Array,
  next: StoredRecord,
): Promise<boolean> {
  const held = await records.read(id)
  if (held === undefined || !sameBytes(held.value, previous)) return false
  const stamp = stampOfLive(previous)
  const all = withIndexes(held, [...new Set([...held.indexes, ...next.indexes])])
  const isWide = await records.swap(id, stamp, held.bytes, all, held.expiresAt)
  if (isWide !== 'done') return false
  const dropAllBut = (kept: readonly string[], of: readonly string[]): Promise<unknown> =>
    Promise.all(
      of.filter((index) => !kept.includes(index)).map((index) => indexes.drop(index, [id])),
    )
  const added = next.indexes.map((index) => indexes.add(index, [id], next.expiresAt))
  if (areRefusing(next, await Promise.all(added))) {
    await records.swap(id, stamp, all, held.bytes, held.expiresAt)
    await dropAllBut(held.indexes, next.indexes)
    return false
  }
  if ((await records.swap(id, stamp, all, toLive(next), next.expiresAt)) !== 'done') return false
  await dropAllBut(next.indexes, held.indexes)
  return true
}
