import type { StoredRecord, Successor } from '../../core/tokens/store.ts'
import { byIndex } from './by-index.ts'
import { stampOf, toLive } from './record.ts'
import type { Found } from './records.ts'
import { BEGIN_NOTED, TAKE } from './scripts.ts'
import { keepUntil, LONGEST_ABSENCE, type Space } from './space.ts'

/**
 * Removes records if they still are what was read, writes what is owed for them, and has both in
 * their indexes and among the ends: in one step, where one server has everything. `false`: one of
 * them has changed, and nothing has happened.
 */
export async function takeInOneStep(
  { connection, keys, now }: Space,
  group: readonly Found[],
  owed: readonly Successor[],
): Promise<boolean> {
  const entries = [
    ...addTo(keys.index, owed),
    ...note(keys.ends, owed, keepUntil(now() + LONGEST_ABSENCE)),
    ...dropFrom(keys.index, byIndex(group.map(({ id, held }) => ({ id, indexes: held.indexes })))),
    ...dropFrom(
      keys.ends,
      group.map(({ id }) => [id, [id]] as const),
    ),
  ]
  const names = [...group, ...owed].map(({ id }) => keys.record(id))
  const answer = await connection.run(
    TAKE,
    [...names, ...entries.map(({ key }) => key)],
    [
      String(group.length),
      String(owed.length),
      ...group.map(({ held }) => stampOf(held)),
      ...owed.flatMap(({ record }) => [toLive(record), keepUntil(record.expiresAt)]),
      ...entries.flatMap(({ args }) => args),
    ],
  )
  return answer === 1
}

/** Adds a record that is under no index, if there is none that lasts, and notes its end. */
export async function beginNoted(
  { connection, keys, now, given }: Space,
  id: string,
  record: StoredRecord,
): Promise<boolean> {
  const { expiresAt } = record
  const end = [String(Math.ceil(expiresAt)), id, keepUntil(now() + LONGEST_ABSENCE)]
  const args = [given(), toLive(record), keepUntil(expiresAt), ...end]
  return (await connection.run(BEGIN_NOTED, [keys.record(id), keys.ends(id)], args)) === 1
}

/** A change of a sorted set: what is done to which, a number of members, and these. */
interface Entry {
  readonly key: string
  readonly args: readonly string[]
}

function addTo(keyOf: (index: string) => string, owed: readonly Successor[]): Entry[] {
  const last = keepUntil(Math.max(...owed.map(({ record }) => record.expiresAt)))
  const groups = byIndex(owed.map(({ id, record }) => ({ id, indexes: record.indexes })))
  return [...groups].map(([index, ids]) => ({
    key: keyOf(index),
    args: ['add', `${ids.length}`, last, ...ids.flatMap((id) => ['0', id])],
  }))
}

function note(keyOf: (id: string) => string, owed: readonly Successor[], until: string): Entry[] {
  return owed.map(({ id, record }) => ({
    key: keyOf(id),
    args: ['note', '1', until, String(Math.ceil(record.expiresAt)), id],
  }))
}

function dropFrom(
  keyOf: (name: string) => string,
  groups: Iterable<readonly [string, readonly string[]]>,
): Entry[] {
  return [...groups].map(([name, ids]) => ({
    key: keyOf(name),
    args: ['drop', `${ids.length}`, ...ids],
  }))
}
