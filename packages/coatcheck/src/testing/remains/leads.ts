import type { RawEntry } from './entry.ts'
import type { Remain } from './remain.ts'

/** Entries that lead from an identity to records, until it is known whether the records are there. */
export interface Leads {
  add(remain: Remain, ids: readonly string[]): void
  /** Whether there are any: then all records have to be seen once more. */
  readonly any: boolean
  /** A record, and whether it holds anything. */
  see(record: NonNullable<RawEntry['record']>, isEmpty: boolean): void
  /** Those that are remains, and how many are none: they lead to what only keeps an id. */
  end(): { readonly found: Remain[]; readonly none: number }
}

/** None yet. */
export function createLeads(): Leads {
  const leads: { readonly remain: Remain; readonly ids: readonly string[] }[] = []
  const wanted = new Set<string>()
  const seen = new Map<string, 'full' | 'empty'>()
  let anyRecord = false

  function judge({ remain, ids }: (typeof leads)[number]): Remain[] {
    const states = ids.map((id) => seen.get(id))
    if (states.includes('full')) return [{ ...remain, what: `${remain.what} It is there.` }]
    if (states.includes('empty')) return []
    // A reader that tells no records says nothing about them.
    return anyRecord ? [{ ...remain, what: `${remain.what} There is no such record.` }] : [remain]
  }

  return {
    add(remain, ids) {
      leads.push({ remain, ids })
      for (const id of ids) wanted.add(id)
    },
    get any() {
      return leads.length > 0
    },
    see({ id }, isEmpty) {
      anyRecord = true
      if (wanted.has(id)) seen.set(id, isEmpty ? 'empty' : 'full')
    },
    end() {
      const found = leads.flatMap(judge)
      return { found, none: leads.length - found.length }
    },
  }
}
