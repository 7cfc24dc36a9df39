import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { originForm, pathOf } from '../proxy/path.ts'

/** What a browser asked another proxy for. */
export interface Original {
  /** Nothing where the proxy does not say: it may have been any. */
  readonly method: string | undefined
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** The proxy passes our answer on to the browser. */
  readonly handsOver: boolean
}

/**
 * What the browser asked the other proxy for, in the words of one proxy: what is there of another's
 * the browser may have sent itself. nginx asks by GET whatever it was asked by.
 */
export function originalOf(
  { method, url = '/', headers }: IncomingMessage,
  path: string,
): Original {
  const one = (name: string): string | undefined => [headers[name]].flat()[0]
  const below = pathOf(url) === path ? undefined : url.slice(path.length)
  const said = [
    {
      target: one('x-original-uri') ?? one('x-original-url'),
      method: one('x-original-method'),
      handsOver: false,
    },
    { target: one('x-forwarded-uri'), method: one('x-forwarded-method'), handsOver: true },
    { target: below, method, handsOver: true },
  ].find(({ target }) => target !== undefined)
  return {
    method: said?.method,
    url: originForm(said?.target ?? '/'),
    headers,
    handsOver: said?.handsOver ?? false,
  }
}
