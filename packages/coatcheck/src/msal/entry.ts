import { SECTIONS, tokenCacheIn, withoutAccounts } from './token-cache.ts'

/** What becomes of a value when accounts are taken out of it. */
export type Without =
  /** Nothing of theirs is in it. */
  | { readonly kind: 'theirs_not_there' }
  /** Nothing else is in it. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'rest'; readonly value: Buffer }
  /** It is encrypted, or in a form that nobody here knows. */
  | { readonly kind: 'unreadable' }

/**
 * A value without these accounts (in lower case). It is a token cache, or something else with one
 * in it as a text: a session of Flask, Spring or express. What such a text is in stays as it is,
 * byte for byte, also where it says how long the text is: spaces take the place of what goes.
 */
export function valueWithout(value: Buffer, accounts: ReadonlySet<string>): Without {
  if (value.length === 0) return { kind: 'theirs_not_there' }
  const text = utf8(value)
  const cache = text === undefined ? undefined : tokenCacheIn(text)
  if (cache === undefined) return withoutInside(value, accounts)
  const { cache: rest, taken, isEmpty } = withoutAccounts(cache, accounts)
  if (taken === 0) return { kind: 'theirs_not_there' }
  return isEmpty ? { kind: 'empty' } : { kind: 'rest', value: Buffer.from(JSON.stringify(rest)) }
}

function withoutInside(value: Buffer, accounts: ReadonlySet<string>): Without {
  // One character for each byte: places in it are places in the value.
  const bytes = value.toString('latin1')
  const next = Buffer.from(value)
  let found = 0
  let taken = 0
  for (const { start, end, isEscaped } of placesIn(bytes)) {
    const inner = readAt(value, start, end, isEscaped)
    const cache = inner === undefined ? undefined : tokenCacheIn(inner)
    if (cache === undefined) continue
    found += 1
    const remainder = withoutAccounts(cache, accounts)
    if (remainder.taken === 0) continue
    const written = Buffer.from(spell(JSON.stringify(remainder.cache), isEscaped))
    if (written.length > end - start) return { kind: 'unreadable' }
    next.fill(' ', start, end)
    written.copy(next, start)
    taken += remainder.taken
  }
  if (taken > 0) return { kind: 'rest', value: next }
  if (found > 0) return { kind: 'theirs_not_there' }
  const isOther = LIKE_JSON.test(bytes) && !bytes.includes('home_account_id')
  return isOther ? { kind: 'theirs_not_there' } : { kind: 'unreadable' }
}

/** What is not encrypted, at a glance; `filter.ts` says the same to the server. */
const LIKE_JSON = /^\s*(?:[[{"]|-?\d[\d.]*\s*$|(?:true|false|null)\s*$)/

interface Place {
  readonly start: number
  readonly end: number
  /** It is a text within JSON: its own quotes have a backslash. */
  readonly isEscaped: boolean
}

/** Where a token cache begins with one of its sections, as itself or as a text within JSON. */
const BEGINNING = new RegExp(
  `\\{(?:\\s|\\\\[nrt])*(\\\\?)"(?:${SECTIONS.join('|')})\\1"(?:\\s|\\\\[nrt])*:`,
  'g',
)

function placesIn(bytes: string): Place[] {
  const places: Place[] = []
  let before = 0
  for (const { index, 1: backslash } of bytes.matchAll(BEGINNING)) {
    if (index < before) continue
    const isEscaped = backslash !== ''
    const end = isEscaped ? endOfText(bytes, index) : endOfObject(bytes, index)
    if (end === undefined) continue
    places.push({ start: index, end, isEscaped })
    before = end
  }
  return places
}

/** Behind the brace that closes the one at `start`. */
function endOfObject(bytes: string, start: number): number | undefined {
  let depth = 0
  for (let at = start; at < bytes.length; at += 1) {
    const character = bytes[at]
    if (character === '"') {
      const end = endOfText(bytes, at + 1)
      if (end === undefined) return undefined
      at = end
    } else if (character === '{') depth += 1
    else if (character === '}') {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return undefined
}

/** The quote that ends a text. */
function endOfText(bytes: string, start: number): number | undefined {
  for (let at = start; at < bytes.length; at += 1) {
    if (bytes[at] === '\\') at += 1
    else if (bytes[at] === '"') return at
  }
  return undefined
}

function readAt(value: Buffer, start: number, end: number, isEscaped: boolean): string | undefined {
  const text = utf8(value.subarray(start, end))
  if (text === undefined || !isEscaped) return text
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    // It only looked like a text within JSON.
    return undefined
  }
}

function spell(text: string, isEscaped: boolean): string {
  return isEscaped ? JSON.stringify(text).slice(1, -1) : text
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // Encrypted, compressed, or of a serializer that does not know UTF-8.
    return undefined
  }
}
