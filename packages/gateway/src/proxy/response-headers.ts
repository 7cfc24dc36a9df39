import type { IncomingHttpHeaders } from 'node:http'
import { withoutSetCookiesOfOurs } from './cookies.ts'

/** What a client gets of an upstream's headers. */
export function responseHeaders(
  upstream: IncomingHttpHeaders,
  isSignedIn: boolean,
): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  const { connection } = upstream
  const dropped = connection?.toLowerCase().split(/[\s,]+/)
  for (const name in upstream) {
    const value = upstream[name]
    if (value === undefined || HOP_BY_HOP.has(name) || dropped?.includes(name)) continue
    headers[name] = value
  }
  const cookies = upstream['set-cookie']
  if (cookies !== undefined) headers['set-cookie'] = withoutSetCookiesOfOurs(cookies)
  // What is made for one user is kept by nobody, unless the application says otherwise.
  if (isSignedIn) headers['cache-control'] ??= 'no-store'
  return headers
}

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'transfer-encoding',
  'upgrade',
])
