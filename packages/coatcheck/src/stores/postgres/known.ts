import type { StoredEntry } from '../../core/tokens/store.ts'
import type { Row } from './database.ts'
import { toValue } from './rows.ts'

/** Values that were answered, and by which version the server knows them again. */
export interface KnownValues {
  /** Of a value that was answered under this id. */
  versionOf(id: string, value: Uint8Array | undefined): string | null
  /** The value of a row: the very one that the caller has, where the server left it out for that. */
  valueIn(id: string, row: Row | undefined, known: Uint8Array | undefined): Uint8Array | undefined
  /** The same for a row that has an id. */
  entryOf(row: Row, known?: Uint8Array): StoredEntry
}

interface Answered {
  readonly id: string
  readonly version: string
}

/** None yet. What nobody holds any more is forgotten. */
export function createKnownValues(): KnownValues {
  const answered = new WeakMap<Uint8Array, Answered>()

  function versionOf(id: string, value: Uint8Array | undefined): string | null {
    const known = value && answered.get(value)
    return known?.id === id ? known.version : null
  }

  function valueIn(
    id: string,
    row: Row | undefined,
    known: Uint8Array | undefined,
  ): Uint8Array | undefined {
    const version = row?.['version'] ?? undefined
    // There is no such record.
    if (version === undefined) return undefined
    const value = toValue(row)
    if (value !== undefined) answered.set(value, { id, version })
    return value ?? known
  }

  return {
    versionOf,
    valueIn,
    entryOf(row, known) {
      const id = row['id'] ?? ''
      return { id, value: valueIn(id, row, known) ?? new Uint8Array(0) }
    },
  }
}
