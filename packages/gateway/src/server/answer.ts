import type { IncomingHttpHeaders } from 'node:http'

/** An answer of the gateway's own to a request that it does not pass on. */
export interface Refusal {
  readonly status: number
  /** A word for programs, such as `upstream_unreachable`. */
  readonly code: string
  /** What a person reads. Says nothing of the inside. */
  readonly title: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What the gateway says itself, as it goes over the wire. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer with its length, which nobody keeps unless its headers say so. */
export function answerOf(status: number, body: string, headers: Answer['headers']): Answer {
  const length = String(Buffer.byteLength(body))
  return {
    status,
    headers: { 'content-length': length, 'cache-control': 'no-store', ...headers },
    body,
  }
}

/** The same for a program. */
export function jsonAnswer(status: number, body: object, headers: Answer['headers'] = {}): Answer {
  return answerOf(status, JSON.stringify(body), { 'content-type': 'application/json', ...headers })
}

/** There is nobody whom such a request is for. */
export const NOBODYS: Refusal = {
  status: 404,
  code: 'not_found',
  title: 'There is nothing at this address',
}

/** Puts a refusal into the form that this client reads: a page for a person, a problem (RFC 9457) for a program. */
export function toAnswer(refusal: Refusal, asked: Asked): Answer {
  const { status, code, title, headers = {} } = refusal
  const page = wantsPage(asked)
  const body = page
    ? `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1></html>`
    : JSON.stringify({ type: `urn:coatcheck:${code}`, title, status, code })
  return answerOf(status, body, {
    'content-type': page ? 'text/html; charset=utf-8' : 'application/problem+json',
    ...(page && PAGE),
    ...headers,
  })
}

/** Sends a browser elsewhere, this time. */
export function redirectTo(location: string, status: 302 | 303): Answer {
  return answerOf(status, '', { location })
}

/** It needs nothing, is framed by nobody, and tells nobody where it was shown. */
const PAGE = {
  'content-security-policy': `default-src 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
}

/** What is looked at of a request. */
export interface Asked {
  readonly method?: string | undefined
  readonly headers: IncomingHttpHeaders
}

/** Whether a person waits for it. A form that a browser posted shows its answer to one, too. */
export function wantsPage({ headers }: Asked): boolean {
  const mode = headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  if (headers['x-requested-with'] !== undefined) return false
  return headers.accept?.includes('text/html') ?? false
}
