/**
 * A token cache as every MSAL writes it: sections of members, each of which says in
 * `home_account_id` whose it is. Tokens of the application itself, and what is known of clients,
 * are nobody's.
 */
export type TokenCache = Readonly<Record<string, unknown>>

/** A cache without some accounts. */
export interface Remainder {
  readonly cache: TokenCache
  /** How many members were theirs. */
  readonly taken: number
  /** Whether anybody's tokens or accounts are left in it. */
  readonly isEmpty: boolean
}

/** The sections that MSAL .NET, Node, Python and Java have in common. */
export const SECTIONS: readonly string[] = [
  'AccessToken',
  'RefreshToken',
  'IdToken',
  'Account',
  'AppMetadata',
]

/** The token cache in a text, or nothing where it is no JSON or another one. */
export function tokenCacheIn(text: string): TokenCache | undefined {
  const parsed = parse(text)
  return isObject(parsed) && SECTIONS.some((section) => isObject(parsed[section]))
    ? parsed
    : undefined
}

/**
 * A cache without what these accounts have in it. They are written in lower case; the libraries
 * compare home account ids without regard to case.
 */
export function withoutAccounts(cache: TokenCache, accounts: ReadonlySet<string>): Remainder {
  let taken = 0
  let left = 0
  const sections = Object.entries(cache).map(([name, section]) => {
    if (!isObject(section)) return [name, section]
    const all = Object.entries(section)
    const kept = all.filter(([, member]) => !isOf(member, accounts))
    taken += all.length - kept.length
    if (name !== 'AppMetadata') left += kept.length
    return [name, Object.fromEntries(kept)]
  })
  return { cache: Object.fromEntries(sections), taken, isEmpty: left === 0 }
}

function isOf(member: unknown, accounts: ReadonlySet<string>): boolean {
  const account = isObject(member) ? member['home_account_id'] : undefined
  return typeof account === 'string' && accounts.has(account.toLowerCase())
}

/** Whether a value is an object with members. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // No JSON is an answer here, not an accident.
    return undefined
  }
}
