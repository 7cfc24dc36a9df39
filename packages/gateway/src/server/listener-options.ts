import type { ServerOptions } from 'node:http'
import type { GatewayConfiguration } from '../configuration/configuration.ts'

/** What Node's servers are told of the limits, for every listener that strangers may get to. */
export function listenerOptions(limits: GatewayConfiguration['limits']): ListenerOptions {
  const whole = limits.requestSeconds * 1000
  const headers = limits.headersSeconds * 1000
  return {
    maxHeaderSize: limits.headerBytes,
    requestTimeout: whole,
    // Node refuses to wait longer for the headers than for all of it.
    headersTimeout: whole === 0 ? headers : Math.min(headers, whole),
    // It looks every 30 seconds unless told otherwise, whatever the limits are.
    connectionsCheckingInterval: Math.min(30_000, Math.max(100, headers / 4)),
    // Of TLS, before there can be headers. Node waits two minutes unless told otherwise.
    handshakeTimeout: headers,
    // Longer than proxies keep a connection, so that it is they who close it.
    keepAliveTimeout: 75_000,
  }
}

/** In milliseconds and bytes, as Node has them. */
export interface ListenerOptions
  extends Required<
    Pick<
      ServerOptions,
      | 'maxHeaderSize'
      | 'requestTimeout'
      | 'headersTimeout'
      | 'connectionsCheckingInterval'
      | 'keepAliveTimeout'
    >
  > {
  readonly handshakeTimeout: number
}
