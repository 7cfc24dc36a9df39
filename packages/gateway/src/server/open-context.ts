import { type AuthEvent, type AuthOptions, createAuth, type TokenStore } from 'coatcheck'
import { type OpenedPlaces, openPlaces } from '../applications/places.ts'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import { authOptions } from '../configuration/open.ts'
import { forgedHeaders } from '../guard/forged-headers.ts'
import { createGuard } from '../guard/guard.ts'
import { createIdentity } from '../identity/identity.ts'
import { type SigningKeys, signingKeys } from '../identity/signing-keys.ts'
import { createApplications } from '../proxy/applications.ts'
import { closedFirst } from '../streams/closed-first.ts'
import { createOpenStreams } from '../streams/open-streams.ts'
import type { GatewayContext } from './context.ts'
import { jsonLogger, type Logger } from './log.ts'
import { createMetrics } from './metrics.ts'
import { logEvent } from './tell.ts'
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

/** What the parts of one gateway share, before anything listens. */
export interface OpenedContext {
  readonly context: GatewayContext
  /** Once nothing asks any more: the library first, then what its places were connected to. */
  close(): Promise<void>
}

/** Makes the parts of one gateway. Rejects where the configuration cannot be carried out. */
export async function openContext(
  configuration: GatewayConfiguration,
  parts: GatewayParts,
): Promise<OpenedContext> {
  const logger = parts.logger ?? jsonLogger(configuration.log.level)
  const keys = signingKeys(configuration.keys)
  const opened = await openPlaces(configuration, keys, logger)
  try {
    const context = createContext(configuration, parts, { logger, keys, opened })
    return {
      context,
      async close() {
        await context.auth.close()
        opened.close()
      },
    }
  } catch (error) {
    // Otherwise a connection would keep this process from ending.
    opened.close()
    throw error
  }
}

interface Made {
  readonly logger: Logger
  readonly keys: SigningKeys
  readonly opened: OpenedPlaces
}

function createContext(
  configuration: GatewayConfiguration,
  parts: GatewayParts,
  { logger, keys, opened }: Made,
): GatewayContext {
  const streams = createOpenStreams()
  const metrics = createMetrics(() => streams.size)
  const { places = [], ...over } = parts.authOptions ?? {}
  const auth = createAuth({
    ...authOptions(configuration, parts.store),
    ...over,
    places: closedFirst([...opened.places, ...places], streams),
    observe(event) {
      // First of all: nothing of who was signed out goes on.
      if (event.type === 'signed_out') for (const one of event.receipt.sessions) streams.end(one)
      metrics.hear(event)
      logEvent(logger, event)
      parts.observe?.(event)
    },
  })
  return {
    configuration,
    auth,
    applications: createApplications(configuration),
    guard: createGuard(configuration),
    isForged: forgedHeaders(Object.values(configuration.headers)),
    identity: createIdentity(configuration, keys),
    keys,
    streams,
    sockets: new Set(),
    proxies: trustedProxies(configuration.listen.trustedProxies),
    logger,
    metrics,
  }
}
