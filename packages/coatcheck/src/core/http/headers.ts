import type { HasHeaders } from '../../auth.ts'

/** One request header, from a `Request` or from what Node and the frameworks hand out. */
export function headerOf(request: HasHeaders, name: string): string | undefined {
  const { headers } = request
  if (headers instanceof Headers) return headers.get(name) ?? undefined
  const value = (headers as Readonly<Record<string, string | readonly string[] | undefined>>)[name]
  if (value === undefined || typeof value === 'string') return value
  // Several Cookie lines mean one list (RFC 9113 section 8.2.3); others of ours come once.
  return value.join(name === 'cookie' ? '; ' : ', ')
}
