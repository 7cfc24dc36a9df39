import type { Auth, HasHeaders, Session } from './auth.ts'
import { configure } from './configuration.ts'
import type { Context } from './core/context.ts'
import { coverageOf } from './core/coverage.ts'
import { createProvider } from './core/provider/provider.ts'
import { createRateLimit } from './core/rate-limit.ts'
import { createRouter } from './core/routes.ts'
import { sessionsBy, sessionsOf } from './core/session/list.ts'
import { createOpenedSessions, forgetRemoved } from './core/session/opened.ts'
import { createPartitions, type Partitions, partitions } from './core/session/partitions.ts'
import { currentSession, toSession } from './core/session/session.ts'
import { cookieName, rememberTickets, sessionIdOfHandle } from './core/session/ticket.ts'
import { createViews } from './core/session/views.ts'
import { refuseSignInsUnderWay } from './core/sign-in/refusal.ts'
import { checkIssuer, signOutByName } from './core/sign-out/administrator.ts'
import { createDeferred } from './core/sign-out/deferred.ts'
import { startWorker } from './core/sign-out/worker.ts'
import { accessTokenOf } from './core/tokens/access-token.ts'
import { accessTokenAt } from './core/tokens/access-token-at.ts'
import { fetchWithToken } from './core/tokens/fetch.ts'
import { guardStore } from './core/tokens/guarded-store.ts'
import { createKeyring } from './core/tokens/keyring.ts'
import { createRefreshes } from './core/tokens/refresh.ts'
import { AuthError } from './errors.ts'
import type { AuthEvent } from './events.ts'
import type { AuthOptions } from './options.ts'
import { SignInRequired } from './sign-in-required.ts'

/**
 * Makes an {@link Auth}. Asks neither the provider nor the store before the first request, except
 * for work that an earlier process left behind. Throws a `TypeError` that says what to write.
 */
export function createAuth(options: AuthOptions): Auth {
  const configuration = configure(options)
  const { environment, origin, routes } = configuration
  const emit = toObserver(options.observe)
  const limit = configuration.storeTimeout
  const guarded = guardStore(options.store, { environment, limit, emit })
  const openedSessions = createOpenedSessions(environment)
  const tickets = rememberTickets(environment, cookieName(configuration))
  const store = forgetRemoved(guarded.store, openedSessions)
  const context: Context = {
    configuration,
    environment,
    provider: createProvider(options.provider, environment),
    store,
    keyring: createKeyring(store, options.keys, environment),
    sessionIdOf: tickets.sessionIdOf,
    openedSessions,
    views: createViews(),
    deferred: createDeferred(environment, guarded.answers),
    refreshes: createRefreshes(),
    strangers: createRateLimit(2000, 50, environment.now),
    emit,
    wakeWorker: (owed) => worker.wake(owed),
  }
  const worker = startWorker(context)
  const router = createRouter(context)
  let closed = false

  function assertOpen(): void {
    if (closed) throw new AuthError('closed', 'This auth was closed.')
  }

  /** The store id a token is wanted for: the request's session, or the one at hand. */
  async function idOf(from: HasHeaders | Session): Promise<string> {
    if ('handle' in from) return sessionIdOfHandle(from.handle)
    const held = await currentSession(context, from)
    if (held === undefined) throw new SignInRequired(routes.signIn)
    return held.id
  }

  const auth: Auth & Record<typeof partitions, () => Partitions> = {
    origin,
    owns: router.owns,
    async handle(request) {
      assertOpen()
      return router.handle(request)
    },
    async session(request) {
      assertOpen()
      const current = currentSession(context, request)
      const held = current instanceof Promise ? await current : current
      return held && toSession(context, held)
    },
    async accessToken(from, wanted = {}) {
      assertOpen()
      return 'handle' in from
        ? accessTokenOf(context, sessionIdOfHandle(from.handle), wanted)
        : accessTokenAt(context, from, wanted)
    },
    async fetch(from, url, init = {}) {
      assertOpen()
      return fetchWithToken(context, await idOf(from), url, init)
    },
    async signOut(selector, { cause = 'administrator' } = {}) {
      assertOpen()
      return signOutByName(context, selector, cause)
    },
    async refuseSignInsUnderWay() {
      assertOpen()
      return refuseSignInsUnderWay(context)
    },
    async sessions(of) {
      assertOpen()
      if ('session' in of) return sessionsBy(context, of.session)
      checkIssuer(context, of)
      return sessionsOf(context, of.subject)
    },
    coverage: () => coverageOf(context),
    signInPath(returnTo) {
      return returnTo === undefined
        ? routes.signIn
        : `${routes.signIn}?return_to=${encodeURIComponent(returnTo)}`
    },
    async close() {
      closed = true
      // None of our timers keeps a process alive. One that ends is to wait all the same: where it
      // has nothing else to live for, what was heard would be lost in a pause between two tries.
      const awake = setInterval(() => undefined, 60_000)
      try {
        openedSessions.forgetAll()
        tickets.forgetAll()
        await worker.stop()
        // What is tried last must not fail because the store did not answer a moment ago.
        guarded.stop()
        await context.deferred.close()
      } finally {
        clearInterval(awake)
      }
    },
    // For the package's own subpaths: an application sees `Auth`.
    [partitions]() {
      assertOpen()
      return createPartitions(context)
    },
  }
  return auth
}

/** An observer that fails must not keep a user signed in: its error is shown, not thrown. */
function toObserver(observe: ((event: AuthEvent) => void) | undefined): (event: AuthEvent) => void {
  return (event) => {
    try {
      observe?.(event)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error), 'CoatcheckObserver')
    }
  }
}
