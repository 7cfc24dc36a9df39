import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import type { ProviderUser } from '#coatcheck/testing/provider/sessions'
import { selfSigned } from '../browser/certificate.ts'

/** A provider that says what Microsoft Entra ID says, as far as MSAL listens. */
export interface Entra extends TestProvider {
  readonly tenant: string
  /** A PEM file with the certificate to trust, as in `SSL_CERT_FILE`. */
  readonly certificate: string
  /** Answers a browser of this process, which trusts nobody's certificate. */
  answer(request: Request): Promise<Response>
}

/** A user of a tenant. The account that MSAL makes of it is `oid.tid`. */
export interface EntraUser extends ProviderUser {
  readonly claims: Readonly<Record<'oid' | 'tid' | 'name' | 'preferred_username', string>>
}

/** What Entra does not have. */
const WITHOUT = {
  authorization_response_iss_parameter_supported: undefined,
  pushed_authorization_request_endpoint: undefined,
  revocation_endpoint: undefined,
}

/** Somebody whose object id differs from the subject, as with Entra. */
export function entraUser(name: string, tenant: string): EntraUser {
  const preferred_username = `${name.toLowerCase()}@example.test`
  const claims = { oid: randomUUID(), tid: tenant, name, preferred_username }
  return { sub: `pairwise-of-${name}`, claims }
}

/** Starts one at `https://localhost:…/{tenant}/v2.0`; MSAL refuses whatever is not https. */
export async function startEntra(): Promise<Entra> {
  const tenant = randomUUID()
  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-entra-'))
  const certificate = join(folder, 'certificate.pem')
  const pair = selfSigned('localhost')
  await writeFile(certificate, pair.cert)
  const server = createServer(pair)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`
  const provider = await startProvider({
    origin,
    path: `/${tenant}/v2.0`,
    metadata: WITHOUT,
    // MSAL does without a token that has less than five minutes to live.
    settings: { accessTokenSeconds: 3600, frontChannel: true },
  })
  passOn(server, provider, origin)
  speakEntra(provider)
  return Object.assign(provider, {
    tenant,
    certificate,
    answer: async (request: Request) => send(provider, request.url, request, await request.text()),
    close: closing(provider, async () => {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true })
    }),
  })
}

/** Entra names its account in the ID token, and in `client_info` wherever a code or token is. */
function speakEntra(provider: TestProvider): void {
  const always = { times: Infinity }
  provider.next(
    'id_token',
    ({ claims }) => {
      const session = provider.sessions.findLast(({ sid }) => sid === claims.sid)
      Object.assign(claims, session?.claims, { ver: '2.0' })
    },
    always,
  )
  provider.next(
    'authorization_response',
    (response) => {
      if (response.has('code')) response.set('client_info', clientInfo(provider.sessions.at(-1)))
    },
    always,
  )
  provider.next(
    'token',
    (answer) => {
      const { id_token } = answer.json
      if (typeof id_token !== 'string') return
      const payload = Buffer.from(id_token.split('.')[1] ?? '', 'base64url').toString()
      answer.json['client_info'] = clientInfo({ claims: JSON.parse(payload) })
    },
    always,
  )
}

function clientInfo(of: Pick<EntraUser, 'claims'> | { claims: object } | undefined): string {
  const { oid, tid } = (of?.claims ?? {}) as Partial<EntraUser['claims']>
  return Buffer.from(JSON.stringify({ uid: oid, utid: tid })).toString('base64url')
}

function passOn(server: Server, provider: TestProvider, origin: string): void {
  server.on('request', async (incoming, response) => {
    const { method = 'GET' } = incoming
    const headers = new Headers()
    for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value))
    const url = `${origin}${incoming.url}`
    const answer = await send(provider, url, { method, headers }, await text(incoming))
    response.writeHead(answer.status, [...answer.headers].flat())
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
}

function send(
  provider: TestProvider,
  url: string,
  { method, headers }: Pick<Request, 'method' | 'headers'>,
  body: string,
): Promise<Response> {
  return provider.fetch(url, {
    method,
    headers,
    redirect: 'manual',
    ...(body === '' ? {} : { body }),
  })
}

function closing(provider: TestProvider, also: () => Promise<void>): () => Promise<void> {
  const { close } = provider
  return async () => {
    await also()
    await close()
  }
}
