import type { HasHeaders } from '../../auth.ts'
import { headerOf } from './headers.ts'

/** Whether a person waits for a page: then an answer is a page or a redirect, otherwise JSON. */
export function isPageRequest(
  request: HasHeaders & { readonly method?: string | undefined },
): boolean {
  const method = request.method ?? 'GET'
  if (method !== 'GET' && method !== 'HEAD') return false
  const mode = headerOf(request, 'sec-fetch-mode')
  if (mode !== undefined) return mode === 'navigate'
  if (headerOf(request, 'x-requested-with') !== undefined) return false
  return headerOf(request, 'accept')?.includes('text/html') ?? false
}
