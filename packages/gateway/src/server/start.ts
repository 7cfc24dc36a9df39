import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Auth } from 'coatcheck'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import { forwardAuthServer } from '../forward-auth.ts'
import { watchStreams } from '../streams/watch.ts'
import { tokenEndpoint } from '../token-endpoint.ts'
import { createHealth } from './health.ts'
import { createHttpServer } from './http.ts'
import { limitLateBodies } from './late-bodies.ts'
import { listenAt, stopServer, urlOf } from './listen.ts'
import { type GatewayParts, openContext } from './open-context.ts'
import { createOperations, operationsServer } from './operations.ts'
import { watchProvider } from './provider-watch.ts'
import { mountRoutes } from './routes.ts'

/** What a gateway is given beside its configuration, and how it stops. */
export interface StartOptions extends GatewayParts {
  /** How long requests that are under way at `close` may take. Default 10. */
  readonly drainSeconds?: number
}

/** A gateway that listens. */
export interface Gateway {
  /** Where it listens: its own address, not the public origin. */
  readonly url: string
  /** Where applications ask for tokens: a URL, or `unix:` and a path. */
  readonly tokenEndpointUrl: string | undefined
  /** Where other proxies ask. */
  readonly forwardAuthUrl: string | undefined
  /** Where metrics and health are served apart from the applications. */
  readonly operationsUrl: string | undefined
  readonly auth: Auth
  /**
   * Stops: no new connections, streams closed, requests under way get their time. The store stays
   * open. `replaced`: another gateway takes over every listener at once, tokens and metrics too.
   */
  close(how?: { readonly replaced: boolean }): Promise<void>
}

/** Starts a gateway. Rejects where it cannot listen; the provider and the store may be down. */
export async function startGateway(
  configuration: GatewayConfiguration,
  given: StartOptions,
): Promise<Gateway> {
  const { context, close: closeContext } = await openContext(configuration, given)
  const { auth, logger, metrics, sockets, streams } = context
  const provider = watchProvider(auth, logger)
  const health = createHealth(auth, () => provider.isReached)
  const operations = createOperations(health, metrics)
  const watch = watchStreams(auth, streams, configuration.limits.streamCheckSeconds, logger)
  const server = createHttpServer(configuration)
  mountRoutes(server, context, configuration.operations ? undefined : operations)
  limitLateBodies(server.server, auth.owns, configuration.limits.headersSeconds)
  const beside: Server[] = []
  let isListening = false
  const drain = (given.drainSeconds ?? 10) * 1000

  async function close({ replaced } = { replaced: false }): Promise<void> {
    health.stopping()
    provider.stop()
    // A stream never ends by itself; its client opens it again, elsewhere.
    const closeLasting = (): void => {
      for (const one of [...sockets]) one.close()
      streams.closeLasting()
    }
    closeLasting()
    const timer = setTimeout(() => {
      // What was being opened when the others were closed.
      closeLasting()
      server.server.closeAllConnections()
    }, drain)
    // Otherwise they serve to the end: who answers a request may need a token for it.
    const stopping = replaced ? beside.map((one) => stopServer(one, drain)) : []
    await server.close()
    clearTimeout(timer)
    // Until then sessions may end elsewhere that have something open here.
    watch.stop()
    await Promise.all(stopping)
    for (const one of beside) await stopServer(one, drain)
    await closeContext()
    if (isListening) logger.info(replaced ? 'former_gateway_done' : 'stopped')
  }

  async function listenBeside(one: Server, where: Parameters<typeof listenAt>[1]): Promise<string> {
    beside.push(one)
    return listenAt(one, where)
  }

  try {
    const { listen, operations: operationsAt, tokenEndpoint: tokensAt, forwardAuth } = configuration
    const tokenEndpointUrl = tokensAt && (await listenBeside(tokenEndpoint(context), tokensAt))
    const operationsUrl =
      operationsAt && (await listenBeside(operationsServer(operations), operationsAt))
    const forwardAuthUrl =
      forwardAuth &&
      (await listenBeside(forwardAuthServer(context, forwardAuth), {
        host: forwardAuth.host,
        port: forwardAuth.port,
      }))
    await server.listen({ host: listen.host, port: listen.port })
    const url = urlOf(listen.tls ? 'https' : 'http', server.server.address() as AddressInfo)
    const urls = { url, tokenEndpointUrl, forwardAuthUrl, operationsUrl }
    isListening = true
    logger.info('listening', { origin: configuration.origin, ...urls })
    return { ...urls, auth, close }
  } catch (error) {
    await close()
    throw error
  }
}
