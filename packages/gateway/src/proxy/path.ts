/**
 * The path and query of a request target. A client may write the whole URL (RFC 9112 section
 * 3.2.2); what names a host in it decides nothing.
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target
  const rest = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** The path of a request target in origin form, byte for byte. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query < 0 ? target : target.slice(0, query)
}

/**
 * What the most lenient server takes a path for: decoded, slashes and dot segments merged, path
 * parameters dropped, without case. `undefined` for one that leads upwards, cannot be decoded, or
 * is written as no browser writes it: a URL parser ends a path at `#`. Without it
 * `/public/..%2fadmin` or `//Admin` would reach by the rules of one application what belongs to
 * another.
 */
export function lenientPath(path: string): string | undefined {
  if (isPlain(path)) return path
  if (/[#\\]/.test(path)) return undefined
  const text = decode(path)
  if (text === undefined || hasControls(text)) return undefined
  const segments = text
    .replaceAll('\\', '/')
    .split('/')
    .map((segment) => segment.replace(/[;?#].*$/, '').trimEnd())
    .filter((segment) => segment !== '' && segment !== '.')
  // Names such as `..backup`, too: they are not told from it by everybody on the way.
  if (segments.some((one) => one.startsWith('..') || one.endsWith('..'))) return undefined
  const ending = text.endsWith('/') && segments.length > 0 ? '/' : ''
  return withoutCase(`/${segments.join('/')}${ending}`)
}

/**
 * As whoever compares most leniently has it: `ſ` is an `s` by its capital, and `ı` and `İ` are an
 * `i` to Java's `equalsIgnoreCase` and Python's `IGNORECASE`.
 */
function withoutCase(text: string): string {
  return text.toUpperCase().toLowerCase().replaceAll('i\u0307', 'i')
}

/** Most paths are: every server reads them alike. */
function isPlain(path: string): boolean {
  return (
    !path.includes('..') &&
    /^(?:\/[a-z0-9_~!$&'()*+,=:@-][a-z0-9_~!$&'()*+,=:@.-]*)*\/?$/.test(path)
  )
}

/** Twice, for a server that decodes what was decoded before it. */
function decode(path: string): string | undefined {
  try {
    const once = decodeURIComponent(path)
    return once.includes('%') ? decodeAgain(once) : once
  } catch {
    return undefined
  }
}

/** A percent sign that is left may be just that. */
function decodeAgain(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  )
}

function hasControls(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\u007f')
}

/** What an application is asked for: the path without what is taken off it, and the query. */
export function upstreamPath(target: string, stripped: string, withQuery: boolean): string {
  const path = withQuery ? target : pathOf(target)
  if (stripped === '') return path
  const rest = path.slice(stripped.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}
