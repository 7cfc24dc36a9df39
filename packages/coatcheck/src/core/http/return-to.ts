const LIMIT = 1024

/**
 * The path to come back to. Anything that a browser might read as another origin, and anything
 * too long for a cookie, becomes the start page: a wrong way back must not stop a sign-in.
 */
export function safeReturnTo(value: string | undefined | null, origin: string): string {
  if (!value || value.length > LIMIT || !value.startsWith('/')) return '/'
  // A browser reads a backslash as a slash and drops tabs and line ends before it parses.
  if (/[\\\u0000-\u0020\u007f-\u009f]/.test(value) || value.startsWith('//')) return '/'
  const url = URL.parse?.(value, origin) ?? parse(value, origin)
  if (url === undefined || url.origin !== origin) return '/'
  const path = url.pathname + url.search + url.hash
  // Dot segments can uncover a scheme-relative path: /..//evil.example
  return path.startsWith('//') ? '/' : path
}

function parse(value: string, origin: string): URL | undefined {
  return URL.canParse(value, origin) ? new URL(value, origin) : undefined
}
