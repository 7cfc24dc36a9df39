import type { Owe, StoredEntry, Successor } from '../../core/tokens/store.ts'
import { byIndex } from './by-index.ts'
import type { Parts } from './insert.ts'
import { takeInOneStep } from './one-step.ts'
import { stampOf } from './record.ts'
import type { Found } from './records.ts'

/** What came of it. */
export interface Taken {
  readonly removed: readonly StoredEntry[]
  /** They changed after they were read: read them again. */
  readonly changed: readonly string[]
}

/**
 * Removes records, if they still are what was read, together with what is owed for them: in one step
 * those that one server has. In a Cluster what is owed is put under its index before that and is then
 * found at once: an entry without a record does no harm, a record without an entry is never found.
 */
export async function take(
  parts: Parts,
  found: readonly Found[],
  owe?: Owe,
  groups: readonly (readonly Found[])[] = parts.records.together(found),
): Promise<Taken> {
  const owing = groups.map((group) => ({ group, owed: owedFor(group, owe) }))
  const outcomes = await (parts.space.isSpread ? bySteps(parts, owing) : inOneStep(parts, owing))
  const taken = outcomes.flatMap(({ group, isTaken }) => (isTaken ? group : []))
  const removed = taken.filter(({ held }) => held.isLive).map(toEntry)
  const left = outcomes.filter(({ isTaken }) => !isTaken).map(({ group }) => group)
  const changed = left.flatMap((group) => (group.length === 1 ? group.map(({ id }) => id) : []))
  const several = left.filter(({ length }) => length > 1).flat()
  if (several.length === 0) return { removed, changed }
  // One of them has changed: that does not keep the others, each by itself.
  const others = await take(
    parts,
    several,
    owe,
    several.map((one) => [one]),
  )
  return {
    removed: [...removed, ...others.removed],
    changed: [...changed, ...others.changed],
  }
}

interface Owing {
  readonly group: readonly Found[]
  readonly owed: readonly Successor[]
}

type Outcome = Owing & { readonly isTaken: boolean }

function inOneStep({ space }: Parts, owing: readonly Owing[]): Promise<Outcome[]> {
  return Promise.all(
    owing.map(async ({ group, owed }) => {
      const isTaken = await takeInOneStep(space, group, owed)
      return { group, owed, isTaken }
    }),
  )
}

/** Where no step spans two servers. */
async function bySteps(parts: Parts, owing: readonly Owing[]): Promise<Outcome[]> {
  await announce(
    parts,
    owing.flatMap(({ owed }) => owed),
  )
  const outcomes = await Promise.all(
    owing.map(async ({ group, owed }) => {
      const versions = group.map(({ id, held }) => ({ id, stamp: stampOf(held) }))
      return { group, owed, isTaken: await parts.records.succeed(versions, owed) }
    }),
  )
  await forget(
    parts,
    outcomes.flatMap(({ group, isTaken }) => (isTaken ? group : [])),
  )
  return outcomes
}

function owedFor(group: readonly Found[], owe: Owe | undefined): readonly Successor[] {
  const live = group.filter(({ held }) => held.isLive).map(toEntry)
  return live.length === 0 ? [] : (owe?.(live) ?? [])
}

function toEntry({ id, held }: Found): StoredEntry {
  return { id, value: held.value }
}

/** Puts what is about to be written under its indexes, those of one index together. */
async function announce({ indexes, ends }: Parts, successors: readonly Successor[]): Promise<void> {
  const last = Math.max(...successors.map(({ record }) => record.expiresAt))
  const ids = successors.map(({ id }) => id)
  await Promise.all([
    ...[...byIndex(successors.map(({ id, record }) => ({ id, indexes: record.indexes })))].map(
      ([index, some]) => indexes.add(index, some, last),
    ),
    ids.length > 0 && ends.note(ids, last),
  ])
}

/** Takes what is gone out of its indexes. */
async function forget({ indexes, ends }: Parts, gone: readonly Found[]): Promise<void> {
  const entries = gone.map(({ id, held }) => ({ id, indexes: held.indexes }))
  await Promise.all([
    indexes.dropAll(byIndex(entries)),
    gone.length > 0 && ends.drop(gone.map(({ id }) => id)),
  ])
}
