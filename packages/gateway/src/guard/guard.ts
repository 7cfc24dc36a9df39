import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import type { Application } from '../proxy/applications.ts'
import type { Refusal } from '../server/answer.ts'

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
export function createGuard(_configuration: GatewayConfiguration): Guard {
  return {
    refuse: () => undefined,
    body: (request) => request,
    complete: () => undefined,
  }
}
