import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Auth, Session } from '../auth.ts'
import { SignInRequired } from '../sign-in-required.ts'
import { readBody, refuseDeclared, unparse } from './body.ts'
import { guard, signInAnswer } from './guard.ts'
import { refusal, refuseMethod } from './refusal.ts'
import { originForm, pathOf } from './target.ts'

/** A request of `node:http`, and what frameworks built on it add. */
export type NodeRequest = IncomingMessage & {
  /** The target before a router cut off the path it is mounted under. */
  readonly originalUrl?: string
  /** What a body parser left. */
  readonly body?: unknown
}

/** Answers the requests that are coatcheck's: `true` where it did. Rejects only for misuse. */
export function nodeAuth(
  auth: Auth,
): (incoming: NodeRequest, outgoing: ServerResponse) => Promise<boolean> {
  return async (incoming, outgoing) => {
    if (!auth.owns(pathOf(targetOf(incoming)))) return false
    await sendResponse(await answer(auth, incoming), outgoing)
    return true
  }
}

/** The session of a request, or `undefined` once it was answered: by sign-in, 401 or 503. */
export function requireSession(
  auth: Auth,
): (incoming: NodeRequest, outgoing: ServerResponse) => Promise<Session | undefined> {
  return async (incoming, outgoing) => {
    const found = await guard(auth, incoming, targetOf(incoming))
    if ('session' in found) {
      outgoing.setHeader('cache-control', 'no-store')
      return found.session
    }
    await sendResponse(found.answer, outgoing)
    return undefined
  }
}

/** Answers a {@link SignInRequired} that a handler threw as the guard would: `true` where it did. */
export function askToSignIn(
  auth: Auth,
): (error: unknown, incoming: NodeRequest, outgoing: ServerResponse) => Promise<boolean> {
  return async (error, incoming, outgoing) => {
    if (!(error instanceof SignInRequired) || outgoing.headersSent) return false
    await sendResponse(signInAnswer(auth, incoming, targetOf(incoming)), outgoing)
    return true
  }
}

/** Hands a request that is coatcheck's to it. */
export async function answer(auth: Auth, incoming: NodeRequest): Promise<Response> {
  let request: Request
  try {
    request = await toRequest(incoming, auth.origin, incoming.body)
  } catch (error) {
    const refused = refusal(error)
    if (refused === undefined) throw error
    return refused
  }
  return auth.handle(request)
}

/**
 * The `Request` that a browser made, as the public origin saw it: `Host` and `X-Forwarded-*`
 * decide nothing (RFC 9700 section 4.13). Rejects with `request_too_large` above 64 KiB.
 */
export async function toRequest(
  incoming: NodeRequest,
  origin: string,
  parsedBody?: unknown,
): Promise<Request> {
  const { method = 'GET' } = incoming
  refuseMethod(method)
  const url = origin + originForm(targetOf(incoming))
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (name.startsWith(':')) continue // HTTP/2 tells the method and path as headers.
    for (const one of [value ?? []].flat()) headers.append(name, one)
  }
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers })
  return new Request(url, { method, headers, body: await bodyOf(incoming, parsedBody) })
}

/** Writes a `Response`, each cookie as a header of its own. */
export async function sendResponse(response: Response, outgoing: ServerResponse): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer())
  if (mayBeFramed(response)) {
    for (const name of framingHeaders) outgoing.removeHeader(name)
  }
  outgoing.statusCode = response.status
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie') outgoing.setHeader(name, value)
  }
  for (const cookie of response.headers.getSetCookie()) outgoing.appendHeader('set-cookie', cookie)
  const empty = outgoing.req.method === 'HEAD' || response.status === 204 || response.status === 304
  outgoing.end(empty ? undefined : body)
}

/** What middleware for the whole application may have set, and would keep a provider's frame out. */
const framingHeaders = [
  'x-frame-options',
  'cross-origin-embedder-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
]

/** Only front-channel logout names who may frame it; every other answer keeps what was set. */
function mayBeFramed(response: Response): boolean {
  const policy = response.headers.get('content-security-policy') ?? ''
  return /frame-ancestors (?!'none')/.test(policy)
}

function targetOf(incoming: NodeRequest): string {
  return incoming.originalUrl ?? incoming.url ?? '/'
}

/** The body as it comes; what a parser made of it only where it has been read already. */
async function bodyOf(
  incoming: NodeRequest,
  parsed: unknown,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!incoming.readableDidRead) {
    refuseDeclared(incoming.headers['content-length'])
    try {
      // Left open when it is too large, or nothing could be skipped any more.
      const body = await readBody(incoming.iterator({ destroyOnReturn: false }))
      // A server without a socket can hand out an empty stream beside what it parsed.
      return body.length > 0 ? body : (unparse(parsed) ?? null)
    } catch (error) {
      // Let what is still to come run dry, so that the connection serves the next request.
      incoming.resume()
      throw error
    }
  }
  const body = unparse(parsed)
  if (body === undefined && hasBody(incoming)) {
    throw new TypeError(
      'The request body was read before coatcheck saw it, and not left in `body`: ' +
        'mount coatcheck before whatever reads it.',
    )
  }
  return body ?? null
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
