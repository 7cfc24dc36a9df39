import {
  type Auth,
  type AuthEvent,
  type AuthOptions,
  createAuth,
  type TokenStore,
} from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { memoryStore } from '#coatcheck/stores/memory'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import { generateKey } from '#coatcheck/testing/provider/keys'

import { startListening } from './overheard.ts'

/** A clock that stands still until a test moves it. */
export interface Clock {
  readonly now: () => number
  /** Ends what waits by {@link Clock.wait} until then. */
  forward(milliseconds: number): void
  /** An `environment.wait` by this clock. */
  readonly wait: (milliseconds: number, signal?: AbortSignal) => Promise<void>
}

/** A clock that begins with the real time, since signatures are checked against it elsewhere. */
export function startClock(): Clock {
  let now = Date.now()
  const waiting = new Set<{ readonly until: number; readonly end: () => void }>()
  return {
    now: () => now,
    forward(milliseconds) {
      now += milliseconds
      for (const one of waiting) if (one.until <= now) one.end()
    },
    wait: (milliseconds, signal) =>
      new Promise((resolve) => {
        const end = (): void => {
          waiting.delete(one)
          signal?.removeEventListener('abort', end)
          resolve()
        }
        const one = { until: now + milliseconds, end }
        waiting.add(one)
        signal?.addEventListener('abort', end)
        if (signal?.aborted) end()
      }),
  }
}

/** Lets everything go on that waits for nothing but other promises and local answers. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** An application under test: coatcheck, its provider, and browsers that talk to both. */
export interface Application {
  readonly origin: string
  readonly auth: Auth
  readonly provider: ReachingProvider
  readonly store: TokenStore
  readonly clock: Clock
  /** Everything `observe` heard. */
  readonly events: AuthEvent[]
  /** A second process of the same application: same store, same keys. */
  another(options?: Partial<AuthOptions>): Auth
  /** A browser without cookies. */
  browser(auth?: Auth): TestBrowser
  /** A browser in which this user has signed in. */
  signedIn(user?: { sub: string; sid?: string | null }, auth?: Auth): Promise<TestBrowser>
  /** The headers a browser's request to the application would have. */
  as(browser: TestBrowser): { headers: { cookie: string } }
  /** Events of one type. */
  heard<Type extends AuthEvent['type']>(type: Type): Extract<AuthEvent, { type: Type }>[]
  /** Sends a logout token as the provider would. */
  logout(token: string, auth?: Auth): Promise<Response>
  close(): Promise<void>
}

export const ORIGIN = 'https://app.test'
export const KEY = 'a key for tests of thirty-two bytes at least'

/** Making an RSA key takes longer than most tests. */
const signingKey = generateKey('RSA', 'k1')

/** A provider that reaches applications without sockets, by their origin. */
export interface ReachingProvider extends TestProvider {
  readonly applications: Map<string, (request: Request) => Promise<Response>>
}

/** A provider by this clock. */
export async function startTestProvider(clock: Clock): Promise<ReachingProvider> {
  const applications: ReachingProvider['applications'] = new Map()
  const provider = await startProvider({
    now: clock.now,
    key: await signingKey,
    async fetch(url, init) {
      const handle = applications.get(new URL(url).origin)
      if (handle === undefined) throw new TypeError(`Nobody answers at ${url}`)
      return handle(new Request(url, init))
    },
  })
  return Object.assign(provider, { applications })
}

/** Starts one. `options` go over those of `createAuth`. */
export async function startApplication(
  options: Partial<AuthOptions> & { given?: { provider?: ReachingProvider; clock?: Clock } } = {},
): Promise<Application> {
  const { given, ...over } = options
  const clock = given?.clock ?? startClock()
  const provider = given?.provider ?? (await startTestProvider(clock))
  const origin = over.origin ?? ORIGIN
  const client = [...provider.clients.values()][0]
  if (client === undefined) throw new Error('The provider has no client.')
  const { client_id, client_secret } = client
  provider.register({ client_id, origin, ...(client_secret && { client_secret }) })
  const store = over.store ?? memoryStore({ now: clock.now })
  const events: AuthEvent[] = []
  const auths: Auth[] = []
  const tickets = new Set<string>()
  const overheard = startListening()

  function another(more: Partial<AuthOptions> = {}): Auth {
    const created = createAuth({
      origin,
      keys: [KEY],
      scope: 'openid profile offline_access',
      observe(event) {
        events.push(event)
        overheard.event(event)
      },
      ...over,
      ...more,
      store: more.store ?? store,
      provider: {
        issuer: provider.issuer,
        clientId: client?.client_id ?? '',
        clientSecret: client?.client_secret ?? '',
        ...over.provider,
        ...more.provider,
      },
      [environment]: {
        now: clock.now,
        fetch: provider.fetch,
        ...over[environment],
        ...more[environment],
      },
    })
    const auth = overheard.listen(created)
    auths.push(auth)
    return auth
  }

  const auth = another()
  provider.applications.set(origin, auth.handle)

  function browser(at = auth): TestBrowser {
    return startBrowser({
      now: clock.now,
      origins: {
        [provider.issuer]: async (request) =>
          provider.fetch(request.url, {
            method: request.method,
            headers: request.headers,
            redirect: 'manual',
            ...(request.body && { body: await request.text() }),
          }),
        [origin]: (request) =>
          at.owns(new URL(request.url).pathname)
            ? at.handle(request)
            : new Response('the application'),
      },
    })
  }

  return {
    origin,
    auth,
    provider,
    store,
    clock,
    events,
    another,
    browser,
    async signedIn(user, at) {
      if (user !== undefined) provider.user = user
      const opened = browser(at)
      const page = await opened.get(`${origin}/auth/sign-in`)
      if (page.status !== 200 || page.url.pathname !== '/') {
        throw new Error(`Sign-in ended with ${page.status} at ${page.url.pathname}: ${page.text}`)
      }
      return opened
    },
    as(from) {
      for (const { value } of from.cookies) tickets.add(value)
      return { headers: { cookie: from.cookieHeader(origin) } }
    },
    heard: (type) =>
      events.filter(
        (event): event is Extract<AuthEvent, { type: typeof type }> => event.type === type,
      ),
    logout: (token, at = auth) =>
      at.handle(
        new Request(`${origin}/auth/backchannel-logout`, {
          method: 'POST',
          body: new URLSearchParams({ logout_token: token }),
        }),
      ),
    async close() {
      for (const one of auths) await one.close()
      await provider.close()
      // Every flow is also a search for secrets in what a log could hold (INV-12).
      overheard.assertSilentAbout([KEY, ...tickets, ...provider.secrets()])
    },
  }
}
