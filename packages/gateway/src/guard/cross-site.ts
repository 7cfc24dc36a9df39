import type { Application } from '../proxy/applications.ts'
import type { Refusal } from '../server/answer.ts'
import type { Judged } from './guard.ts'

/**
 * Refuses what a page of another origin has a browser ask for with the user's cookie. An API that
 * was made for bearer tokens does not look at this, and behind the gateway it is the cookie that
 * signs in. A sibling subdomain is another origin too, and SameSite would let it through.
 */
export function crossSite(origin: string): (request: Judged, application: Application) => boolean {
  return (request, { configuration }) => {
    const { method, headers } = request
    // Without a cookie nobody is signed in, whoever asks.
    if (headers.cookie === undefined) return false
    if (isSocket(request)) return !isOwnSocket(request, origin)
    if (configuration.access !== 'api') return false
    const isRead = method !== undefined && SAFE.has(method)
    return isRead ? isForeignRead(request, origin) : !isOwnChange(request, origin)
  }
}

/** What a refused request is told. */
export const CROSS_SITE: Refusal = {
  status: 403,
  code: 'cross_site_request',
  title: 'This was asked by a page of another site',
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Browsers since 2023 send `Sec-Fetch-Site`, those before `Origin`. What has neither is an old
 * browser or no browser at all, and has to send a header that no page can have sent to another
 * origin without being asked about it first (Fetch section 3.2.2).
 */
function isOwnChange({ headers }: Judged, origin: string): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  if (headers.origin !== undefined) return headers.origin === origin
  return headers['x-requested-with'] !== undefined
}

/**
 * Only a link may lead here from elsewhere: a script, an image or a frame of there may not. Browsers
 * before 2023 say `Origin` where a script wants to read the answer, and never where one follows a link.
 */
function isForeignRead({ headers }: Judged, origin: string): boolean {
  const site = headers['sec-fetch-site']
  if (site === undefined) return headers.origin !== undefined && headers.origin !== origin
  if (site === 'same-origin' || site === 'none') return false
  return headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document'
}

/** A proxy that asks whether to let one through may have taken off `Upgrade`: nginx and Traefik do. */
function isSocket({ headers }: Judged): boolean {
  if (headers.upgrade?.trim().toLowerCase() === 'websocket') return true
  return headers['sec-websocket-key'] !== undefined || headers['sec-fetch-mode'] === 'websocket'
}

/** No browser opens a WebSocket without `Origin` (RFC 6455 section 4.1), and none asks about it first. */
function isOwnSocket({ headers }: Judged, origin: string): boolean {
  return headers.origin === undefined || headers.origin === origin
}
