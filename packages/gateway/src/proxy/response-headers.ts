import type { IncomingHttpHeaders } from 'node:http'
import { withoutSetCookiesOfOurs } from './cookies.ts'

/** What a client gets of an upstream's headers. */
export function responseHeaders(
  upstream: IncomingHttpHeaders,
  status: number | undefined,
  isSignedIn: boolean,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  const dropped = connectionHeaders(upstream.connection)
  for (const name in upstream) {
    const value = upstream[name]
    if (value === undefined || HOP_BY_HOP.has(name) || dropped?.includes(name)) continue
    // Of what is not there (RFC 9110 section 8.6).
    if (status === 204 && OF_CONTENT.has(name)) continue
    headers[name] = value
  }
  const cookies = upstream['set-cookie']
  if (cookies !== undefined) headers['set-cookie'] = withoutSetCookiesOfOurs(cookies)
  // What is made for one user is kept by nobody, unless the application says otherwise.
  if (isSignedIn) headers['cache-control'] ??= 'no-store'
  return headers
}

/** What the upstream wants dropped. */
function connectionHeaders(connection: string | undefined): readonly string[] | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') {
    return undefined
  }
  return connection.toLowerCase().split(/[\s,]+/)
}

const OF_CONTENT = new Set(['content-length', 'content-type'])

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'transfer-encoding',
  'upgrade',
])
