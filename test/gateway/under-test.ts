import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { AuthEvent, TokenStore } from '#coatcheck'
import { memoryStore } from '#coatcheck/stores/memory'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider, TestProviderOptions } from '#coatcheck/testing/provider/contract'
import { generateKey } from '#coatcheck/testing/provider/keys'
import type {
  ApplicationConfiguration,
  GatewayConfiguration,
} from '#gateway/configuration/configuration'
import { jsonLogger, type Logger } from '#gateway/server/log'
import { type Gateway, type StartOptions, startGateway } from '#gateway/server/start'
import { freePorts } from '../servers/ports.ts'

/** A gateway in this process, its provider, and what both said. */
export interface Deployment {
  readonly origin: string
  readonly gateway: Gateway
  readonly provider: TestProvider
  readonly configuration: GatewayConfiguration
  readonly store: TokenStore
  readonly events: AuthEvent[]
  /** Lines of the log, debug ones too. */
  readonly lines: string[]
  browser(): TestBrowser
  /** A browser that has signed in. */
  signedIn(user?: { sub: string; claims?: Record<string, unknown> }): Promise<TestBrowser>
  /** Another process of the same deployment, at an origin's address of its own. */
  another(over?: Partial<GatewayConfiguration>): Promise<Gateway>
}

export const KEY = 'a key for tests of thirty-two bytes at least'

const signingKey = generateKey('RSA', 'k1')

/** What a test says of its deployment. All of it may stay away. */
export interface DeploymentOptions {
  /** One application at `/` when left out, whose upstream this is. */
  readonly upstream?: string
  readonly applications?: readonly (Partial<ApplicationConfiguration> & { upstream: string })[]
  readonly over?: Partial<GatewayConfiguration>
  readonly limits?: Partial<GatewayConfiguration['limits']>
  readonly trustedProxies?: readonly string[]
  readonly provider?: TestProviderOptions
  readonly parts?: Partial<StartOptions>
  /** Not started: a test does so later. */
  readonly providerDown?: boolean
}

/** Starts one that ends with its test. */
export async function deploy(t: TestContext, options: DeploymentOptions): Promise<Deployment> {
  const [port = 0] = await freePorts(1)
  const origin = `http://127.0.0.1:${port}`
  const provider = await startProvider({ key: await signingKey, ...options.provider })
  t.after(() => provider.close())
  provider.register({ client_id: 'app', origin })
  if (options.providerDown) await provider.stop()
  const store = options.parts?.store ?? memoryStore()
  const events: AuthEvent[] = []
  const lines: string[] = []
  const logger: Logger = jsonLogger('debug', (line) => lines.push(line))
  const applications = options.applications ?? [{ upstream: options.upstream ?? '' }]
  const configuration: GatewayConfiguration = {
    origin,
    provider: {
      issuer: provider.issuer,
      clientId: 'app',
      clientSecret: provider.clients.get('app')?.client_secret,
    },
    keys: [KEY],
    scope: 'openid profile email offline_access',
    session: { lifetimeSeconds: undefined, idleSeconds: undefined, revalidateSeconds: undefined },
    store: { kind: 'memory' },
    listen: {
      host: '127.0.0.1',
      port,
      tls: undefined,
      trustedProxies: options.trustedProxies ?? [],
    },
    tokenEndpoint: undefined,
    applications: applications.map(complete),
    forwardAuth: undefined,
    headers: {
      user: 'X-Forwarded-User',
      email: 'X-Forwarded-Email',
      preferredUsername: 'X-Forwarded-Preferred-Username',
      groups: 'X-Forwarded-Groups',
      identity: 'X-Coatcheck-Identity',
    },
    limits: {
      requestBytes: 100_000_000,
      headerBytes: 16_384,
      headersSeconds: 60,
      requestSeconds: 0,
      upstreamSeconds: 30,
      connections: 1000,
      streamCheckSeconds: 30,
      ...options.limits,
    },
    operations: undefined,
    log: { level: 'debug' },
    ...options.over,
  }

  const start = async (of: GatewayConfiguration): Promise<Gateway> => {
    const observe = (event: AuthEvent): void => {
      events.push(event)
    }
    const gateway = await startGateway(of, { observe, logger, ...options.parts, store })
    t.after(() => gateway.close())
    return gateway
  }
  const gateway = await start(configuration)

  return {
    origin,
    gateway,
    provider,
    configuration,
    store,
    events,
    lines,
    browser: () => startBrowser(),
    async signedIn(user) {
      if (user !== undefined) provider.user = user
      const browser = startBrowser()
      const page = await browser.get(`${origin}/auth/sign-in?return_to=/auth/session`)
      if (!browser.cookies.some(({ name }) => name === `coatcheck-${port}`)) {
        throw new Error(`Sign-in ended with ${page.status} at ${page.url.pathname}: ${page.text}`)
      }
      return browser
    },
    async another(over = {}) {
      const [free = 0] = await freePorts(1)
      return start({
        ...configuration,
        ...over,
        listen: { ...configuration.listen, port: free },
      })
    },
  }
}

function complete(
  given: Partial<ApplicationConfiguration> & { upstream: string },
): ApplicationConfiguration {
  return {
    name: 'app',
    host: undefined,
    path: '/',
    stripPath: false,
    access: 'signed_in',
    accessToken: undefined,
    audience: given.name ?? 'app',
    backchannelLogoutUri: undefined,
    ...given,
  }
}

/** An upstream with a socket of its own, and every request that reached it. */
export interface Upstream {
  readonly url: string
  readonly server: Server
  readonly requests: IncomingMessage[]
}

/** Starts one that ends with its test. Without a listener it answers with what it saw. */
export async function upstream(
  t: TestContext,
  listener: RequestListener = mirror,
): Promise<Upstream> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    listener(request, response)
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, server, requests }
}

const mirror: RequestListener = (request, response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ url: request.url, headers: request.headers }))
}
