import type { Auth } from 'coatcheck'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import type { ForgedHeaders } from '../guard/forged-headers.ts'
import type { Guard } from '../guard/guard.ts'
import type { Identity } from '../identity/identity.ts'
import type { SigningKeys } from '../identity/signing-keys.ts'
import type { Applications } from '../proxy/applications.ts'
import type { OpenStreams, Stream } from '../streams/open-streams.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { TrustedProxies } from './trusted-proxies.ts'

/** What the parts of one gateway share. */
export interface GatewayContext {
  readonly configuration: GatewayConfiguration
  readonly auth: Auth
  readonly applications: Applications
  readonly guard: Guard
  readonly isForged: ForgedHeaders
  readonly identity: Identity
  readonly keys: SigningKeys
  readonly streams: OpenStreams
  /** Every WebSocket, of whoever: closed when the gateway stops. */
  readonly sockets: Set<Stream>
  readonly proxies: TrustedProxies
  readonly logger: Logger
  readonly metrics: Metrics
}
