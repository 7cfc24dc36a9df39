import { isObject, tokenCacheIn } from './token-cache.ts'

/** A token cache by section and key. */
export type Members = Readonly<Record<string, Readonly<Record<string, Member>>>>

/** One entry of a cache, under its wire names. */
export type Member = Readonly<Record<string, unknown>>

/** What happened to a cache: written and removed members, by section and key. */
export interface CacheChange {
  readonly written: Members
  readonly removed: Readonly<Record<string, readonly string[]>>
}

/** The members in the JSON of a cache; none where it is empty. */
export function membersIn(cache: string): Members {
  const parsed = tokenCacheIn(cache) ?? {}
  return Object.fromEntries(
    Object.entries(parsed).map(([section, members]) => [
      section,
      isObject(members)
        ? Object.fromEntries(
            Object.entries(members).filter((entry): entry is [string, Member] =>
              isObject(entry[1]),
            ),
          )
        : {},
    ]),
  )
}

/** What must be done to the one to make it the other. */
export function changeBetween(before: Members, now: Members): CacheChange {
  const sections = [...new Set([...Object.keys(before), ...Object.keys(now)])]
  return {
    written: bySection(sections, (section) => {
      const then = before[section] ?? {}
      return Object.entries(now[section] ?? {}).filter(
        ([key, member]) => JSON.stringify(then[key]) !== JSON.stringify(member),
      )
    }),
    removed: Object.fromEntries(
      sections.flatMap((section) => {
        const left = now[section] ?? {}
        const gone = Object.keys(before[section] ?? {}).filter((key) => !Object.hasOwn(left, key))
        return gone.length > 0 ? [[section, gone]] : []
      }),
    ),
  }
}

/** A cache after a change. */
export function applyChange(members: Members, { written, removed }: CacheChange): Members {
  const sections = [...new Set([...Object.keys(members), ...Object.keys(written)])]
  return bySection(sections, (section) => {
    const gone = new Set(removed[section])
    const kept = Object.entries(members[section] ?? {}).filter(([key]) => !gone.has(key))
    return [...kept, ...Object.entries(written[section] ?? {})]
  })
}

/** Home account ids of the tokens and accounts, in lower case. */
export function accountsIn(members: Members): Set<string> {
  return new Set(
    Object.values(members)
      .flatMap((section) => Object.values(section))
      .map((member) => member['home_account_id'])
      .filter((account) => typeof account === 'string' && account !== '')
      .map((account) => String(account).toLowerCase()),
  )
}

/** Whether there are no tokens and no accounts: what is known of a client alone is nothing. */
export function isEmpty({ AppMetadata: _, ...members }: Members): boolean {
  return Object.values(members).every((section) => Object.keys(section).length === 0)
}

function bySection(
  sections: readonly string[],
  membersOf: (section: string) => readonly (readonly [string, Member])[],
): Members {
  return Object.fromEntries(
    sections.flatMap((section) => {
      const members = membersOf(section)
      return members.length > 0 ? [[section, Object.fromEntries(members)]] : []
    }),
  )
}
