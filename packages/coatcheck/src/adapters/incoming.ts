import type { IncomingMessage } from 'node:http'
import { readBody, refuseDeclared } from '../core/http/body.ts'
import { refuseMethod } from './hand-over.ts'
import { originForm } from './target.ts'
import { unparse } from './unparse.ts'

/** A request of `node:http`, and what frameworks built on it add. */
export type NodeRequest = IncomingMessage & {
  /** The target before a router cut off the path it is mounted under. */
  readonly originalUrl?: string
  /** What a body parser left. */
  readonly body?: unknown
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

/** The request target, whatever a router has cut off since. */
export function targetOf(incoming: NodeRequest): string {
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
