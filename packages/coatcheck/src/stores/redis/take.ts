import type { Owe, StoredEntry, Successor } from '../../core/tokens/store.ts'
import type { Parts } from './insert.ts'
import { type HeldRecord, stampOf } from './record.ts'

/** A record as it was read, and where. */
export interface Found {
  readonly id: string
  readonly held: HeldRecord
}

/** What came of it. */
export interface Taken {
  readonly removed: readonly StoredEntry[]
  /** They changed after they were read: read them again. */
  readonly changed: readonly string[]
}

/**
 * Removes records, if they still are what was read, each in one step with what is owed for it.
 * What is owed is put under its index before that and is then found at once: an entry without a
 * record does no harm, a record without an entry is never found.
 */
export async function take(parts: Parts, found: readonly Found[], owe?: Owe): Promise<Taken> {
  const { records } = parts
  const owing = found.map((one) => {
    const owed = one.held.isLive ? owe?.([{ id: one.id, value: one.held.value }]) : undefined
    return { ...one, owed: owed ?? [] }
  })
  await announce(
    parts,
    owing.flatMap(({ owed }) => owed),
  )
  const outcomes = await Promise.all(
    owing.map(async ({ id, held, owed }) => ({
      id,
      held,
      owed,
      isTaken: await records.succeed(id, stampOf(held), owed),
    })),
  )
  const taken = outcomes.filter(({ isTaken }) => isTaken)
  await forget(parts, taken)
  const changed = outcomes.filter(({ isTaken }) => !isTaken)
  return {
    removed: taken
      .filter(({ held }) => held.isLive)
      .map(({ id, held }) => ({ id, value: held.value })),
    changed: changed.map(({ id }) => id),
  }
}

/** Puts what is about to be written under its indexes, those of one index together. */
async function announce({ indexes, ends }: Parts, successors: readonly Successor[]): Promise<void> {
  const last = Math.max(...successors.map(({ record }) => record.expiresAt))
  const ids = successors.map(({ id }) => id)
  await Promise.all([
    ...[...groupByIndex(successors)].map(([index, some]) => indexes.add(index, some, last)),
    ids.length > 0 && ends.note(ids, last),
  ])
}

/** Takes what is gone out of its indexes. */
async function forget({ indexes, ends }: Parts, gone: readonly Found[]): Promise<void> {
  const entries = gone.map(({ id, held }) => ({ id, record: held }))
  await Promise.all([
    ...[...groupByIndex(entries)].map(([index, ids]) => indexes.drop(index, ids)),
    gone.length > 0 && ends.drop(gone.map(({ id }) => id)),
  ])
}

function groupByIndex(
  entries: readonly {
    readonly id: string
    readonly record: { readonly indexes: readonly string[] }
  }[],
): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { id, record } of entries) {
    for (const index of new Set(record.indexes)) {
      const ids = groups.get(index)
      if (ids === undefined) groups.set(index, [id])
      else ids.push(id)
    }
  }
  return groups
}
