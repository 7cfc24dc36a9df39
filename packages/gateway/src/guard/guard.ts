import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import type { Application } from '../proxy/applications.ts'
import type { Refusal } from '../server/answer.ts'
import { countedBody, TOO_LARGE } from './body-limit.ts'
import { CROSS_SITE, crossSite } from './cross-site.ts'
import { securityHeaders } from './security-headers.ts'

/** What is looked at before a request goes on. */
export interface Judged {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  /** As they came, name and value in turn; not there for a request that a proxy describes. */
  readonly rawHeaders?: readonly string[]
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
}

/** The guard of a configuration. */
export function createGuard({ origin, limits }: GatewayConfiguration): Guard {
  const isCrossSite = crossSite(origin)
  return {
    refuse(request, application) {
      if (hasManyHosts(request.rawHeaders)) return MANY_HOSTS
      if (application === undefined) return undefined
      if (Number(request.headers['content-length'] ?? 0) > limits.requestBytes) return TOO_LARGE
      return isCrossSite(request, application) ? CROSS_SITE : undefined
    },
    body: (request) => countedBody(request, limits.requestBytes),
    complete: securityHeaders(origin),
  }
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

const MANY_HOSTS: Refusal = {
  status: 400,
  code: 'host_ambiguous',
  title: 'This request names more than one host',
}
