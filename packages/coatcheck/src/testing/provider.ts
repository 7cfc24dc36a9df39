import { loopbackFetch } from './loopback.ts'
import { type ClientRegistration, completeClient, type ProviderClient } from './provider/clients.ts'
import { type Before, createDispatch } from './provider/dispatch.ts'
import { endSession, endUser } from './provider/end-session.ts'
import type { Answer, EndpointName, ProviderRequest } from './provider/exchange.ts'
import type { Hold, HoldOptions } from './provider/holds.ts'
import { type Fetch, inProcessFetch } from './provider/in-process.ts'
import { createKeys, type ProviderKey, type ProviderKeys } from './provider/keys.ts'
import {
  createLedger,
  type Issued,
  type IssuedAccessToken,
  isActive,
  isLive,
  type Reuse,
  type Revocation,
} from './provider/ledger.ts'
import {
  type Delivery,
  type LogoutTokenParts,
  sendLogoutToken,
  signLogoutToken,
} from './provider/logout.ts'
import { defaultMetadata, endpointPaths } from './provider/metadata.ts'
import {
  type Change,
  createScripts,
  type Script,
  type Scriptable,
  type ScriptOptions,
} from './provider/scripts.ts'
import { listen } from './provider/server.ts'
import { createSessions, type ProviderSession, type ProviderUser } from './provider/sessions.ts'
import {
  defaultSettings,
  type EditableMetadata,
  type ProviderSettings,
  type ProviderState,
} from './provider/state.ts'

/** What can be said about a provider before it starts. All of it may stay away. */
export interface TestProviderOptions {
  /** Name in the issuer, such as `op.localhost`. Default `127.0.0.1`. */
  readonly host?: string
  /** Path of the issuer, such as `/tenant` or `/`. Default none. */
  readonly path?: string
  /** Default 0: any that is free. */
  readonly port?: number
  /** The provider's clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
  readonly user?: ProviderUser
  /** Default: `app`, which any redirect URI is good for. */
  readonly clients?: readonly ClientRegistration[]
  readonly settings?: Partial<ProviderSettings>
  /** Laid over the default; `undefined` takes a member away. */
  readonly metadata?: EditableMetadata
  /** The first signing key, to save the time of making one. */
  readonly key?: ProviderKey
  /** How logout tokens reach the applications. Default: over HTTP, `*.localhost` included. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
}

/**
 * An OpenID Provider for tests: a real server that does what the specifications say until a
 * script says otherwise, and that remembers everything.
 */
export interface TestProvider {
  readonly issuer: string
  /** The document discovery answers. Change or delete members at will. */
  readonly metadata: EditableMetadata
  readonly settings: ProviderSettings
  readonly keys: ProviderKeys
  readonly clients: ReadonlyMap<string, ProviderClient>
  /** Who signs in where a browser has no session and `login_hint` names nobody else. */
  user: ProviderUser
  /** Details of users that `login_hint` may name. */
  readonly users: Map<string, ProviderUser>
  /** Every session there ever was. */
  readonly sessions: readonly ProviderSession[]
  /** Every request, in the order of arrival. Empty it (`length = 0`) to count from here. */
  readonly requests: ProviderRequest[]
  /** Everything ever handed out. */
  readonly issued: readonly Issued[]
  /** Codes and refresh tokens that came a second time. */
  readonly reused: readonly Reuse[]
  readonly revoked: readonly Revocation[]
  /** Logout tokens the provider sent by itself. */
  readonly deliveries: readonly Delivery[]

  /** Adds a client, or replaces it. With `origin`, at coatcheck's default routes. */
  register(registration: ClientRegistration): ProviderClient
  /** Changes or replaces what goes out next; see {@link Script}. Returns how to take it back. */
  next<What extends keyof Scriptable>(
    what: What,
    script: Script<Scriptable[What]>,
    options?: ScriptOptions,
  ): () => void
  /** Runs something when the next request has arrived, before the endpoint looks at it. */
  before(endpoint: EndpointName, run: Before, options?: ScriptOptions): () => void
  /** Lets requests arrive and wait. */
  hold(endpoint: EndpointName, options?: HoldOptions): Hold
  /** Takes back every script. Holds stay. */
  forget(): void

  /** Resolves with the n-th request to an endpoint, counted from 1, when it has arrived. */
  received(endpoint: EndpointName, position?: number, grant?: string): Promise<ProviderRequest>
  /** How many requests came to an endpoint, of one `grant_type` where it is given. */
  count(endpoint: EndpointName, grant?: string): number

  /** Signs a logout token. Without arguments it is valid, for the newest session. */
  logoutToken(parts?: LogoutTokenParts): Promise<string>
  /** Posts a logout token, or anything else, to a back-channel logout URI. */
  sendLogout(
    url: string,
    token: string,
    init?: { readonly headers?: Record<string, string> },
  ): Promise<Response>
  /** An administrator ends one session here; its applications are told. */
  endSession(sid: string): Promise<Delivery[]>
  /** An administrator ends all of a user, offline access included; tokens have no `sid`. */
  endUser(sub: string): Promise<Delivery[]>
  /** Replaces the signing key; `keep` goes on publishing the old one. */
  rotateKeys(options?: { readonly keep?: boolean }): Promise<ProviderKey>

  /** Refresh tokens that would be accepted now. */
  liveRefreshTokens(): string[]
  /** Access tokens that would be accepted now. */
  liveAccessTokens(): string[]
  /** What an API would learn of an access token by introspection; nothing if it is of no use. */
  introspect(accessToken: string): IssuedAccessToken | undefined
  /** Every value that must never be seen in a log: all handed out, and what clients sent. */
  secrets(): string[]

  /** Reaches the provider without a socket: pass it as `environment.fetch` or to a browser. */
  readonly fetch: Fetch
  /** The provider is down: connections are refused. All state is kept. */
  stop(): Promise<void>
  /** Up again, on the same port. */
  start(): Promise<void>
  /** Ends it. Rejects with what a script threw, so that a failed assertion there is seen. */
  close(): Promise<void>
}

/** Starts a provider on 127.0.0.1. */
export async function startProvider(options: TestProviderOptions = {}): Promise<TestProvider> {
  const now = options.now ?? Date.now
  const server = await listen(options.port ?? 0, (request) => dispatch.handle(request))
  const origin = `http://${options.host ?? '127.0.0.1'}:${server.port}`
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

function secretsOf(state: ProviderState, requests: readonly ProviderRequest[]): string[] {
  const sent = ['client_assertion', 'code_verifier', 'client_secret', 'state', 'nonce']
  const values = requests.flatMap(({ query, form, headers }) => [
    ...sent.flatMap((name) => [query.get(name), form.get(name)]),
    /^Basic (.+)$/i.exec(headers.get('authorization') ?? '')?.[1],
  ])
  const secrets = new Set([
    ...state.ledger.issued.map(({ value }) => value),
    ...[...state.clients.values()].map((client) => client.client_secret),
    ...state.sessions.all.map(({ cookie }) => cookie),
    ...values,
  ])
  return [...secrets].filter((secret): secret is string => Boolean(secret))
}
