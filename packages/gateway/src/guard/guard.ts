import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import type { Application } from '../proxy/applications.ts'
import type { Refusal } from '../server/answer.ts'
import { countedBody, TOO_LARGE } from './body-limit.ts'
import { CROSS_SITE, crossSite } from './cross-site.ts'
import { endlessBodies } from './endless-body.ts'
import { hostRefusal } from './host.ts'
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
  const endless = endlessBodies()
  return {
    refuse(request, application) {
      // First: whatever else is wrong with such a request, nothing behind it is one.
      const isEndless = endless(request)
      if (isEndless !== undefined) return isEndless
      if (request.method === 'TRACE') return TRACE
      if (isOfOldProtocol(request.httpVersion)) return OLD_PROTOCOL
      const noHost = hostRefusal(request)
      if (noHost !== undefined) return noHost
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
