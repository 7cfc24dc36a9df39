const LONGEST = 1024

/**
 * The path to come back to. Anything that a browser might read as another origin, and anything
 * too long for a cookie, becomes the start page: a wrong way back must not stop a sign-in.
 */
export function safeReturnTo(value: string | undefined, origin: string): string {
  if (value === undefined || value.length > LONGEST || !isPlainPath(value)) return '/'
  if (!URL.canParse(value, origin)) return '/'
  const url = new URL(value, origin)
  const path = url.pathname + url.search + url.hash
  // A letter may take nine once it is encoded, and a cookie too long is dropped by the browser.
  if (path.length > LONGEST) return '/'
  // Dot segments can uncover a scheme-relative path: /..//evil.example
  return url.origin === origin && !path.startsWith('//') ? path : '/'
}

/** A browser reads a backslash as a slash, and drops tabs and line ends before it parses. */
function isPlainPath(value: string): boolean {
  if (!value.startsWith('/') || value.startsWith('//') || value.includes('\\')) return false
  return [...value].every((character) => character > ' ' && character !== '\u007f')
}
