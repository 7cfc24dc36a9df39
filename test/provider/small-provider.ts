import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose'
import { type Environment, systemEnvironment } from '#coatcheck/core/environment'
import type { ProviderOptions } from '#coatcheck/core/provider/options'
import { createProvider } from '#coatcheck/core/provider/provider'
import type { Provider } from '#coatcheck/core/provider/types'

/** A fixed second, so that no test depends on when it runs. */
export const second = 1_800_000_000

export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly form: URLSearchParams
}

export interface Answer {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** Sends the head and the first bytes, and then nothing. */
  readonly stall?: boolean
}

type Route = (seen: Seen) => Answer | Promise<Answer>

/** A few routes on a real port; each test changes those it is about. */
export interface SmallProvider {
  readonly issuer: string
  readonly routes: Record<string, Route>
  readonly seen: Seen[]
  metadata: Record<string, unknown>
  keys: unknown[]
  count(path: string): number
  close(): Promise<void>
}

export async function startSmallProvider(issuerPath = ''): Promise<SmallProvider> {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
    const entry: Seen = {
      method: request.method ?? '',
      path: pathname,
      headers: request.headers,
      form: new URLSearchParams(body),
    }
    seen.push(entry)
    const answer = (await provider.routes[pathname]?.(entry)) ?? { status: 404 }
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? {})
    response.on('error', () => {})
    response.writeHead(answer.status ?? 200, {
      'content-type': 'application/json',
      ...answer.headers,
    })
    if (answer.stall) response.write(text.slice(0, 1))
    else response.end(text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider: SmallProvider = {
    issuer: origin + issuerPath,
    seen,
    metadata: {
      issuer: origin + issuerPath,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      jwks_uri: `${origin}/keys`,
      userinfo_endpoint: `${origin}/userinfo`,
      revocation_endpoint: `${origin}/revoke`,
      pushed_authorization_request_endpoint: `${origin}/par`,
    },
    keys: [],
    routes: {
      [`${issuerPath.replace(/\/$/, '')}/.well-known/openid-configuration`]: () => ({
        body: provider.metadata,
      }),
      '/keys': () => ({ body: { keys: provider.keys } }),
    },
    count: (path) => seen.filter((entry) => entry.path === path).length,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return provider
}

/** A clock that tests move. */
export interface Clock {
  /** Milliseconds since the epoch. */
  time: number
  readonly environment: Environment
}

export function startClock(parts: Partial<Environment> = {}): Clock {
  const clock: Clock = {
    time: second * 1000,
    environment: { ...systemEnvironment, ...parts, now: () => clock.time },
  }
  return clock
}

export function client(
  provider: SmallProvider,
  clock: Clock,
  options: Partial<ProviderOptions> = {},
): Provider {
  return createProvider(
    { issuer: provider.issuer, clientId: 'C1', clientSecret: 'a secret', ...options },
    clock.environment,
  )
}

/** A signing key and what the provider publishes of it. */
export interface SigningKey {
  readonly alg: string
  readonly kid: string | undefined
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export async function signingKey(kid: string | undefined, alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), use: 'sig', alg, ...(kid && { kid }) }
  return { alg, kid, privateKey, jwk }
}

/** Signs claims, or a payload that is already text. */
export function sign(
  key: SigningKey,
  claims: Record<string, unknown> | string,
  header: Record<string, unknown> = {},
): Promise<string> {
  const payload = typeof claims === 'string' ? claims : JSON.stringify(claims)
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: key.alg, ...(key.kid && { kid: key.kid }), ...header })
    .sign(key.privateKey)
}

export const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

export function logoutClaims(
  provider: SmallProvider,
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    iss: provider.issuer,
    aud: 'C1',
    iat: second,
    exp: second + 120,
    jti: 'j1',
    sub: 'U1',
    sid: 'S1',
    events: { [logoutEvent]: {} },
    ...changes,
  }
}

export function idClaims(
  provider: SmallProvider,
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    iss: provider.issuer,
    aud: 'C1',
    sub: 'U1',
    sid: 'S1',
    iat: second,
    exp: second + 300,
    nonce: 'n1',
    ...changes,
  }
}

/** Header and payload as they stand, without any rule of a signing library; the signature is raw. */
export function assemble(header: unknown, payload: unknown, signature = ''): string {
  const part = (value: unknown): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(payload)}.${signature}`
}
