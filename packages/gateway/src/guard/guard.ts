import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import type { Application } from '../proxy/applications.ts'
import type { Refusal } from '../server/answer.ts'
import { countedBody, TOO_LARGE } from './body-limit.ts'
import { CROSS_SITE, crossSite } from './cross-site.ts'
import { ownHeaders, securityHeaders } from './security-headers.ts'

/** What is looked at before a request goes on. */
export interface Judged {
  /** Nothing where a proxy does not say: then it may be one that changes something. */
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly httpVersion?: string
  readonly headers: IncomingHttpHeaders
  /** As they came, name and value in turn; not there for a request that a proxy describes. */
  readonly rawHeaders?: readonly string[]
  /** Its connection; not there for a request that a proxy describes. */
  readonly socket?: object
}

/** What is refused or added whatever the application says: one place, asked by the server. */
export interface Guard {
  /**
   * Asked first, for requests, upgrades, and what a proxy asks about; `undefined` lets it go on.
   * `application` is `undefined` for paths of the gateway's own.
   */
  refuse(request: Judged, application: Application | undefined): Refusal | undefined
  /** The body on its way to the upstream: the request itself, or something that counts it. */
  body(request: IncomingMessage): Readable
  /** Adds to the headers of an upstream's answer. */
  complete(headers: Record<string, string | string[]>, application: Application): void
  /** The headers of everything that the gateway says itself. */
  readonly own: Readonly<Record<string, string>>
}

/** The guard of a configuration. */
export function createGuard({ origin, limits }: GatewayConfiguration): Guard {
  const isCrossSite = crossSite(origin)
  const isEncoded = encodedBodies()
  return {
    refuse(request, application) {
      if (request.method === 'TRACE') return TRACE
      if (isOfOldProtocol(request.httpVersion)) return OLD_PROTOCOL
      if (hasManyHosts(request.rawHeaders)) return MANY_HOSTS
      if (isEncoded(request)) return ENCODED
      if (application === undefined) return undefined
      if (Number(request.headers['content-length'] ?? 0) > limits.requestBytes) return TOO_LARGE
      return isCrossSite(request, application) ? CROSS_SITE : undefined
    },
    body: (request) => countedBody(request, limits.requestBytes),
    complete: securityHeaders(origin),
    own: ownHeaders(origin),
  }
}

/** An application would repeat to a script what only the gateway and it should see. */
const TRACE: Refusal = {
  status: 405,
  code: 'method_not_allowed',
  title: 'This is not answered here',
  headers: { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' },
}

/** Node reads headers even where the line before them says that there are none. */
function isOfOldProtocol(version = '1.1'): boolean {
  return version !== '1.1' && version !== '1.0'
}

const OLD_PROTOCOL: Refusal = {
  status: 505,
  code: 'protocol_unknown',
  title: 'This version of HTTP is not understood here',
  headers: { connection: 'close' },
}

/** Node takes the first, an upstream might take the last (RFC 9112 section 3.2). */
function hasManyHosts(rawHeaders: readonly string[] = []): boolean {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  return hosts > 1
}

/**
 * Chunks are undone here; what else was done to a body no upstream would know of. Where it ends is
 * anybody's guess, so that nothing after it on its connection is believed to be a request: Node
 * goes on with what it has read, even after an answer that closes.
 */
function encodedBodies(): (request: Judged) => boolean {
  const spoilt = new WeakSet<object>()
  return ({ headers, socket }) => {
    if (socket !== undefined && spoilt.has(socket)) return true
    const encoding = headers['transfer-encoding']
    if (encoding === undefined || encoding.trim().toLowerCase() === 'chunked') return false
    if (socket !== undefined) spoilt.add(socket)
    return true
  }
}

/** RFC 9112 section 6.1. */
const ENCODED: Refusal = {
  status: 501,
  code: 'encoding_unknown',
  title: 'This encoding of a request is not understood here',
  headers: { connection: 'close' },
}

const MANY_HOSTS: Refusal = {
  status: 400,
  code: 'host_ambiguous',
  title: 'This request names more than one host',
}
