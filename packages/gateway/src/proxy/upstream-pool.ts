import type { ServerResponse } from 'node:http'
import { Agent, type Dispatcher } from 'undici'
import { type Heard, relay, type Waiting } from './relay.ts'
import type { HeaderList } from './request-headers.ts'

/**
 * In the place of the headers of a request to an upstream: what reply-from has no room for. It is
 * the one way to say something about a single request.
 */
export const PASSED: unique symbol = Symbol('passed')

/** A request to an upstream. */
export interface Passed {
  readonly headers: HeaderList
  /** What its client waits for. */
  readonly answer: ServerResponse
  readonly broken: Waiting['broken']
}

/** Connections to the upstreams, in the shape that reply-from takes. */
export interface UpstreamPool {
  request(options: Dispatcher.RequestOptions, heard: (error: unknown, heard?: Heard) => void): void
  destroy(): Promise<void>
}

/** Keeps connections to the upstreams. */
export function upstreamPool(patienceSeconds: number): UpstreamPool {
  const patience = patienceSeconds * 1000
  const agent = new Agent({
    // As many as there are streams: an event stream holds one for as long as it lasts.
    connections: null,
    pipelining: 1,
    headersTimeout: patience,
    bodyTimeout: 0,
    connect: { timeout: patience },
  })
  return {
    request(options, heard) {
      const { headers, answer, broken } = (options.headers as unknown as Carrier)[PASSED]
      agent.dispatch({ ...options, headers: headers as string[] }, relay({ answer, heard, broken }))
    },
    destroy: () => agent.destroy(),
  }
}

interface Carrier {
  readonly [PASSED]: Passed
}
