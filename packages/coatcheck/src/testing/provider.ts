import { loopbackFetch } from './loopback.ts'
import { completeClient } from './provider/clients.ts'
import type { TestProvider, TestProviderOptions } from './provider/contract.ts'
import { createDispatch } from './provider/dispatch.ts'
import { endSession, endUser } from './provider/end-session.ts'
import type { Answer, EndpointName, ProviderRequest } from './provider/exchange.ts'
import { inProcessFetch } from './provider/in-process.ts'
import { header } from './provider/issue.ts'
import { signToken } from './provider/jwt.ts'
import { createKeys } from './provider/keys.ts'
import { createLedger, isActive, isLive } from './provider/ledger.ts'
import { sendLogoutToken, signLogoutToken } from './provider/logout.ts'
import { defaultMetadata, endpointPaths } from './provider/metadata.ts'
import { type Change, createScripts, type Script } from './provider/scripts.ts'
import { secretsOf } from './provider/secrets.ts'
import { listen } from './provider/server.ts'
import { createSessions } from './provider/sessions.ts'
import { defaultSettings, type ProviderState } from './provider/state.ts'

/**
 * Starts a provider on 127.0.0.1.
 *
 * ```ts
 * const provider = await startProvider()
 * provider.register({ client_id: 'app', origin })
 * provider.next('id_token', ({ claims }) => { claims.nonce = 'another' })
 * const hold = provider.hold('token', { grant: 'refresh_token' })
 * await hold.received()
 * await provider.sendLogout(`${origin}/auth/backchannel-logout`, await provider.logoutToken())
 * hold.release()
 * ```
 */
export async function startProvider(options: TestProviderOptions = {}): Promise<TestProvider> {
  const now = options.now ?? Date.now
  const server = await listen(options.port ?? 0, (request) => dispatch.handle(request))
  const origin = options.origin ?? `http://${options.host ?? '127.0.0.1'}:${server.port}`
  const path = options.path ?? ''
  const paths = endpointPaths(path.replace(/\/$/, ''))
  const issuer = origin + path
  const registrations = options.clients ?? [{ client_id: 'app' }]
  let running = true

  const state: ProviderState = {
    issuer,
    // Cookies do not know ports: two providers on 127.0.0.1 must not take each other's.
    cookieName: `provider_${server.port}`,
    now,
    fetch: options.fetch ?? loopbackFetch,
    settings: { ...defaultSettings, ...options.settings },
    metadata: { ...defaultMetadata(issuer, paths), ...options.metadata },
    clients: new Map(registrations.map((given) => [given.client_id, completeClient(given)])),
    users: new Map(),
    user: options.user ?? { sub: 'U1' },
    keys: await createKeys(options.key),
    sessions: createSessions(),
    ledger: createLedger(now),
    changes: createScripts<Change<never>>(),
    pushed: new Map(),
    deliveries: [],
    assertions: new Set(),
  }
  const dispatch = createDispatch(state, paths)
  const { ledger, clients } = state
  const { requests, holds } = dispatch
  const of =
    (endpoint: EndpointName, grant: string | undefined) =>
    (request: ProviderRequest): boolean =>
      request.endpoint === endpoint && (grant === undefined || request.grant === grant)
  const stop = async (): Promise<void> => {
    running = false
    await server.stop()
  }

  return {
    issuer,
    metadata: state.metadata,
    settings: state.settings,
    keys: state.keys,
    clients,
    users: state.users,
    get user() {
      return state.user
    },
    set user(user) {
      state.user = user
    },
    sessions: state.sessions.all,
    requests: requests.all,
    issued: ledger.issued,
    reused: ledger.reused,
    revoked: ledger.revoked,
    deliveries: state.deliveries,

    register: (registration) => {
      const client = completeClient(registration)
      clients.set(client.client_id, client)
      return client
    },
    next: (what, script, scriptOptions) =>
      isEndpoint(what)
        ? dispatch.answers.add(what, script as Script<Answer>, scriptOptions)
        : state.changes.add(what, script as Change<never>, scriptOptions),
    before: (endpoint, run, scriptOptions) => dispatch.before.add(endpoint, run, scriptOptions),
    hold: (endpoint, holdOptions) => holds.add(endpoint, holdOptions),
    forget: () => {
      for (const scripts of [dispatch.answers, dispatch.before, state.changes]) scripts.clear()
    },

    received: (endpoint, position = 1, grant) =>
      requests.nth(position, `request to ${grant ?? endpoint}`, of(endpoint, grant)),
    count: (endpoint, grant) => requests.all.filter(of(endpoint, grant)).length,

    sign: async (draft) => {
      const whole = {
        claims: {},
        ...draft,
        header: { ...header(state, 'RS256', undefined), ...draft.header },
      }
      return (await signToken(whole, state.keys, undefined)).value
    },
    logoutToken: (parts) => signLogoutToken(state, parts),
    sendLogout: (url, token, init) => sendLogoutToken(state, url, token, init),
    endSession: async (sid) => {
      const session = state.sessions.bySid(sid)
      return session ? endSession(state, session) : []
    },
    endUser: (sub) => endUser(state, sub),
    rotateKeys: (rotation) => state.keys.rotate(rotation),

    liveRefreshTokens: () => live(ledger.refreshTokens, (token) => isLive(token, now())),
    liveAccessTokens: () => live(ledger.accessTokens, (token) => isActive(token, now())),
    introspect: (value) => {
      const token = ledger.accessTokens.get(value)
      return token && isActive(token, now()) ? token : undefined
    },
    secrets: () => secretsOf(state, requests.all),

    fetch: inProcessFetch(origin, dispatch.handle, () => running),
    stop,
    start: async () => {
      await server.start()
      running = true
    },
    close: async () => {
      holds.dropAll()
      await stop()
      const [error] = dispatch.errors
      if (error !== undefined) throw error
    },
  }
}

const endpointNames: Record<EndpointName, true> = {
  discovery: true,
  jwks: true,
  authorization: true,
  par: true,
  token: true,
  userinfo: true,
  revocation: true,
  end_session: true,
  unknown: true,
}

function isEndpoint(what: string): boolean {
  return Object.hasOwn(endpointNames, what)
}

function live<Token>(tokens: Map<string, Token>, is: (token: Token) => boolean): string[] {
  return [...tokens].flatMap(([value, token]) => (is(token) ? [value] : []))
}
