import type { AddressInfo } from 'node:net'
import { type Auth, type AuthEvent, type AuthOptions, createAuth, type TokenStore } from 'coatcheck'
import { nodeAuth } from 'coatcheck/adapters/node'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import { forgedHeaders } from '../guard/forged-headers.ts'
import { createGuard } from '../guard/guard.ts'
import { createIdentity } from '../identity/identity.ts'
import { signingKeys } from '../identity/signing-keys.ts'
import { createApplications } from '../proxy/applications.ts'
import { forwarder } from '../proxy/forward.ts'
import { pathOf } from '../proxy/path.ts'
import { createOpenStreams } from '../streams/open-streams.ts'
import { toAnswer } from './answer.ts'
import type { GatewayContext } from './context.ts'
import { FAULT } from './failure.ts'
import { createHttpServer } from './http.ts'
import { jsonLogger, type Logger } from './log.ts'
import { createMetrics } from './metrics.ts'
import { trustedProxies } from './trusted-proxies.ts'

/** What a gateway is given beside its configuration. */
export interface GatewayParts {
  /** Opened by the caller, and closed by it once the gateway is. */
  readonly store: TokenStore
  /** Hears what the library tells, after the gateway. */
  readonly observe?: (event: AuthEvent) => void
  /** Default: lines of JSON on standard output, by the configured level. */
  readonly logger?: Logger
  /** Laid over what the configuration says: further places, and the environment in tests. */
  readonly authOptions?: Partial<AuthOptions>
}

/** A gateway that listens. */
export interface Gateway {
  /** Where it listens: its own address, not the public origin. */
  readonly url: string
  readonly auth: Auth
  /** Ends what is under way and stops; the store stays open. */
  close(): Promise<void>
}

/** Starts a gateway. Rejects where it cannot listen; the provider and the store may be down. */
export async function startGateway(
  configuration: GatewayConfiguration,
  parts: GatewayParts,
): Promise<Gateway> {
  const logger = parts.logger ?? jsonLogger(configuration.log.level)
  const streams = createOpenStreams()
  const metrics = createMetrics(() => streams.size)
  const keys = signingKeys(configuration.keys)
  const auth = createAuth({
    origin: configuration.origin,
    provider: providerOf(configuration),
    store: parts.store,
    keys: configuration.keys,
    scope: configuration.scope,
    session: sessionOf(configuration),
    ...parts.authOptions,
    observe(event) {
      if (event.type === 'signed_out') for (const one of event.receipt.sessions) streams.end(one)
      metrics.hear(event)
      parts.observe?.(event)
    },
  })
  const context: GatewayContext = {
    configuration,
    auth,
    applications: createApplications(configuration),
    guard: createGuard(configuration),
    isForged: forgedHeaders(Object.values(configuration.headers)),
    identity: createIdentity(configuration, keys),
    keys,
    streams,
    proxies: trustedProxies(configuration.listen.trustedProxies),
    logger,
    metrics,
  }
  const server = createHttpServer(configuration)
  const ours = nodeAuth(auth)
  const forward = forwarder(context)
  server.all('/*', async (request, reply) => {
    if (auth.owns(pathOf(request.raw.url ?? '/'))) {
      reply.hijack()
      return ours(request.raw, reply.raw)
    }
    return forward(request, reply)
  })
  server.setErrorHandler((error, request, reply) => {
    logger.error('request_failed', { reason: error instanceof Error ? error.name : 'unknown' })
    const { status, headers, body } = toAnswer(FAULT, request.raw)
    return reply.code(status).headers(headers).send(body)
  })
  const { host, port } = configuration.listen
  await server.listen({ host, port })
  const address = server.server.address() as AddressInfo

  return {
    url: `${configuration.listen.tls ? 'https' : 'http'}://${hostOf(address)}:${address.port}`,
    auth,
    async close() {
      streams.closeAll()
      await server.close()
      await auth.close()
    },
  }
}

function hostOf({ address, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]` : address
}

function providerOf({ provider }: GatewayConfiguration): AuthOptions['provider'] {
  const { issuer, clientId, clientSecret } = provider
  return { issuer, clientId, ...(clientSecret !== undefined && { clientSecret }) }
}

function sessionOf({ session }: GatewayConfiguration): NonNullable<AuthOptions['session']> {
  return Object.fromEntries(Object.entries(session).filter(([, value]) => value !== undefined))
}
