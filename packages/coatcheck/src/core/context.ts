import type { HasHeaders } from '../auth.ts'
import type { Configuration } from '../configuration.ts'
import type { AuthEvent } from '../events.ts'
import type { Environment } from './environment.ts'
import type { Provider } from './provider/types.ts'
import type { RateLimit } from './rate-limit.ts'
import type { OpenedSessions } from './session/opened.ts'
import type { Views } from './session/views.ts'
import type { Deferred } from './sign-out/deferred.ts'
import type { OwedTo } from './sign-out/owed.ts'
import type { Keyring } from './tokens/keyring.ts'
import type { Refreshes } from './tokens/refresh.ts'
import type { TokenStore } from './tokens/store.ts'

/** What every operation of one `createAuth` shares. */
export interface Context {
  readonly configuration: Configuration
  readonly environment: Environment
  readonly provider: Provider
  /** Guarded: answers within a limit, or rejects with an `AuthError`. */
  readonly store: TokenStore
  readonly keyring: Keyring
  /** The id of the session that a request's ticket stands for. */
  readonly sessionIdOf: (request: HasHeaders) => string | undefined
  /** What was opened a moment ago, for who reads the same bytes again. */
  readonly openedSessions: OpenedSessions
  /** What applications get to see of records. */
  readonly views: Views
  /** What could not be done for want of the store, and will be. */
  readonly deferred: Deferred
  /** Refreshes under way in this process. */
  readonly refreshes: Refreshes
  /** How many front-channel requests that name nobody may still leave a mark. */
  readonly strangers: RateLimit
  /** Tells the observer. Never throws. */
  readonly emit: (event: AuthEvent) => void
  /** Wakes the worker that does what became owed. */
  readonly wakeWorker: (owed: OwedTo) => void
}
