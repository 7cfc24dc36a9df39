import type { HasHeaders } from '../../auth.ts'

/** One request header, from a `Request` or from what Node and the frameworks hand out. */
export function headerOf(request: HasHeaders, name: string): string | undefined {
  const { headers } = request
  // A framework may bring a `Headers` of its own.
  if (isHeaders(headers)) return headers.get(name) ?? undefined
  const value = headers[name]
  if (value === undefined || typeof value === 'string') return value
  // Several Cookie lines mean one list (RFC 9113 section 8.2.3); others of ours come once.
  return value.join(name === 'cookie' ? '; ' : ', ')
}

function isHeaders(headers: HasHeaders['headers']): headers is Headers {
  return headers instanceof Headers || typeof headers['get'] === 'function'
}
