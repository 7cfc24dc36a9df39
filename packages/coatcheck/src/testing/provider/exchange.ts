/** Where a request to the provider went; `unknown` is answered 404. */
export type EndpointName =
  | 'discovery'
  | 'jwks'
  | 'authorization'
  | 'par'
  | 'token'
  | 'userinfo'
  | 'revocation'
  | 'end_session'
  | 'unknown'

/** One request as it arrived, recorded before anything was done about it. */
export interface ProviderRequest {
  readonly endpoint: EndpointName
  readonly method: string
  readonly url: string
  readonly path: string
  readonly headers: Headers
  readonly query: URLSearchParams
  /** The body as a form; empty where it was none. */
  readonly form: URLSearchParams
  /** The body as text. */
  readonly body: string
  /** `grant_type`, where there was one. */
  readonly grant: string | undefined
  /** When it arrived, by the provider's clock, in milliseconds since the epoch. */
  readonly at: number
}

/**
 * What goes wrong on the way back. `drop` closes the connection without an answer, `cut` after
 * half of the body; `drip` sends one byte at a time and never ends; `endless` sends the body over
 * and over, as fast as it is read.
 */
export type WireFault = 'drop' | 'cut' | 'drip' | 'endless'

/** What the provider is about to answer. A script may change all of it. */
export interface Answer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string | string[]>
  /** Sent as JSON where there is no `body`. */
  json: Record<string, unknown>
  /** Sent as it is. */
  body?: string | Uint8Array | undefined
  wire?: WireFault | undefined
}

/** An answer that is not kept by any cache. */
export function jsonAnswer(json: Record<string, unknown>, status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    json,
  }
}

/** An error in the form of RFC 6749 section 5.2. */
export function refusal(status: number, error: string, error_description: string): Answer {
  return jsonAnswer({ error, error_description }, status)
}

/** A page for the browser. */
export function pageAnswer(html: string, status = 200): Answer {
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    json: {},
    body: `<!doctype html><meta charset="utf-8"><title>Provider</title>${html}`,
  }
}

/** Sends the browser on. */
export function redirectAnswer(location: string | URL): Answer {
  return {
    status: 303,
    headers: { location: String(location), 'cache-control': 'no-store' },
    json: {},
    body: '',
  }
}

/** An answer of which a test wrote only what it cares about. */
export function completeAnswer(part: Partial<Answer>): Answer {
  const answer = jsonAnswer(part.json ?? {}, part.status)
  Object.assign(answer.headers, part.headers)
  if (part.body !== undefined || part.json === undefined) answer.body = part.body ?? ''
  answer.wire = part.wire
  return answer
}

/** The bytes of an answer. */
export function answerBytes(answer: Answer): Uint8Array {
  const body = answer.body ?? JSON.stringify(answer.json)
  return typeof body === 'string' ? new TextEncoder().encode(body) : body
}

/** A piece of a body that never ends. */
export function endlessBlock(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Buffer.alloc(64 * 1024, bytes.length > 0 ? bytes : ' ')
}

/** Text that is safe inside HTML and its quoted attributes. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
