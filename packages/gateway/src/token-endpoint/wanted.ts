import { closest } from 'fastest-levenshtein'

/** For which API a token is wanted, and how wide. */
export interface Wanted {
  readonly resource?: string
  readonly scope?: string
}

/**
 * What is asked for, or what is wrong with the question, without repeating it. One that is not
 * understood in full gets no token: it might be a wider one than was meant.
 */
export function wantedOf(query: URLSearchParams): Wanted | string {
  const wanted: { resource?: string; scope?: string } = {}
  for (const name of new Set(query.keys())) {
    if (!isParameter(name)) {
      return `Unknown parameter: did you mean ${closest(name.toLowerCase(), PARAMETERS)}?`
    }
    const [value, ...more] = query.getAll(name)
    // Two resources would need two tokens.
    if (more.length > 0) return `More than one ${name}`
    if (value) wanted[name] = value
  }
  return wanted
}

const PARAMETERS = ['resource', 'scope'] as const

function isParameter(name: string): name is (typeof PARAMETERS)[number] {
  return (PARAMETERS as readonly string[]).includes(name)
}
