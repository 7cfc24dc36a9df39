import type { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Agent, type Dispatcher } from 'undici'

/**
 * Among the headers of a request to an upstream: the answer that its client waits for. No header by
 * such a key is sent; it is the one way to say something about a single request.
 */
export const ANSWERS: unique symbol = Symbol('answers')

/** Connections to the upstreams, in the shape that reply-from takes. */
export interface UpstreamPool {
  request(options: Dispatcher.RequestOptions, heard: (...given: never) => void): void
  destroy(): Promise<void>
}

/**
 * Keeps connections to the upstreams. What a client asked for and does not wait for any longer is
 * taken back from the upstream, also before there is an answer.
 */
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
      const { [ANSWERS]: response } = options.headers as { [ANSWERS]?: ServerResponse }
      const signal = response === undefined ? null : signalOf(response)
      agent.request({ ...options, signal }, heard as never)
    },
    destroy: () => agent.destroy(),
  }
}

/** An answer that nobody reads is closed. One that was read to its end is too: then there is nothing to take back. */
function signalOf(response: ServerResponse): EventEmitter {
  const signal = {
    aborted: response.destroyed,
    on: () => signal,
    once: (_: string, listener: () => void) => response.once('close', listener),
    removeListener: (_: string, listener: () => void) => response.removeListener('close', listener),
  }
  return signal as unknown as EventEmitter
}
