import { headerOf } from './headers.ts'

/**
 * Whether a request that changes state was made by a page of this very origin. A browser sends
 * `Sec-Fetch-Site` and no page can forge it; older ones send `Origin` or at least `Referer`.
 * A sibling subdomain is same-site, so the SameSite attribute alone would not do.
 */
export function isSameOrigin(request: Request, origin: string): boolean {
  const site = headerOf(request, 'sec-fetch-site')
  if (site !== undefined) return site === 'same-origin'
  const from = headerOf(request, 'origin')
  if (from !== undefined) return from === origin
  const referer = headerOf(request, 'referer')
  return referer !== undefined && URL.canParse(referer) && new URL(referer).origin === origin
}
