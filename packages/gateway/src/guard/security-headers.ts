import type { Application } from '../proxy/applications.ts'

/** Adds to the headers of an upstream's answer; what the application says itself stands. */
export type SecurityHeaders = (
  headers: Record<string, string | string[]>,
  application: Application,
) => void

/**
 * What every answer should have, and what none may have: leave for a page of another origin to read
 * an answer that was made for the user's cookie. An API that was made for bearer tokens may give it
 * to everybody.
 */
export function securityHeaders(origin: string): SecurityHeaders {
  const own = ownHeaders(origin)
  return (headers, { configuration: { access } }) => {
    for (const name in own) headers[name] ??= own[name] ?? ''
    headers['referrer-policy'] ??= 'strict-origin-when-cross-origin'
    if (!mentionsFrames(headers['content-security-policy'])) {
      headers['x-frame-options'] ??= 'SAMEORIGIN'
    }
    delete headers['access-control-allow-credentials']
    if (access !== 'api') return
    headers['cross-origin-resource-policy'] ??= 'same-origin'
    for (const name in headers) if (name.startsWith('access-control-')) delete headers[name]
  }
}

/** What every answer has, that of an application and what the gateway says itself. */
export function ownHeaders(origin: string): Readonly<Record<string, string>> {
  return {
    'x-content-type-options': 'nosniff',
    ...(origin.startsWith('https:') && { 'strict-transport-security': 'max-age=31536000' }),
  }
}

function mentionsFrames(policy: string | string[] | undefined): boolean {
  if (policy === undefined) return false
  if (typeof policy === 'string') return /frame-ancestors/i.test(policy)
  return policy.some(mentionsFrames)
}
