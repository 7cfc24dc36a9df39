/** What to do with a member name that stands twice in one object. */
export type Repeated = 'refuse' | 'last'

/** Deeper than any claim or metadata in use, shallow enough for every reader that comes after. */
const MAXIMUM_DEPTH = 32

/**
 * Parses JSON that came from elsewhere. Refuses what is nested too deeply and, where asked,
 * repeated member names, since two readers of one signed text must not see two claims (RFC 8259
 * section 4). Members called `__proto__` are dropped: copying such an object would change the
 * copy's prototype. Throws a `SyntaxError` that names the rule and quotes nothing.
 */
export function parseJson(text: string, repeated: Repeated): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The engine's own message quotes the text, which may be a token.
    throw new SyntaxError('is not JSON')
  }
  const found = scan(text)
  if (found.depth > MAXIMUM_DEPTH) throw new SyntaxError('is nested too deeply')
  if (found.repeated && repeated === 'refuse') throw new SyntaxError('repeats a member name')
  return found.proto ? JSON.parse(text, withoutProto) : value
}

/** Whether a parsed value is an object, and neither an array nor `null`. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function withoutProto(name: string, value: unknown): unknown {
  return name === '__proto__' ? undefined : value
}

interface Found {
  depth: number
  repeated: boolean
  proto: boolean
}

/** Looks through a text that is known to be JSON, so that it need not check the grammar. */
function scan(text: string): Found {
  const found: Found = { depth: 0, repeated: false, proto: false }
  /** The names of each object that is open; `undefined` for an array. */
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined)
      if (open.length > found.depth) found.depth = open.length
      if (found.depth > MAXIMUM_DEPTH) return found
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === '"') {
      const end = endOfString(text, at)
      if (isName(text, end)) {
        const name = nameOf(text.slice(at + 1, end))
        const names = open.at(-1)
        if (names?.has(name)) found.repeated = true
        names?.add(name)
        if (name === '__proto__') found.proto = true
      }
      at = end
    }
  }
  return found
}

function endOfString(text: string, start: number): number {
  let end = start
  let escapes: number
  do {
    end = text.indexOf('"', end + 1)
    escapes = 0
    while (text[end - 1 - escapes] === '\\') escapes++
  } while (escapes % 2 === 1)
  return end
}

function isName(text: string, end: number): boolean {
  let next = end + 1
  while (text[next] === ' ' || text[next] === '\n' || text[next] === '\r' || text[next] === '\t') {
    next++
  }
  return text[next] === ':'
}

/** `"s\u0069d"` is `sid`. */
function nameOf(raw: string): string {
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
}
