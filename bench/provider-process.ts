// oidc-provider in a process of its own: it must not take time from what is measured.
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import { type Grant, type OidcContext, Provider } from 'oidc-provider'
import type { ProviderQuestion, SessionAtProvider } from './provider.ts'

const server = createServer()
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const kid = 'bench'
const clientId = 'bench'
const clientSecret = 'a secret of the benchmark that is long enough'
const API = 'https://api.example'

/** A day, unless tokens are asked for that are over soon. */
let accessTokenSeconds = 86_400
let refreshes = 0
let refused = 0

// By each way to say the secret one client: libraries have only one of them.
const methods = ['client_secret_basic', 'client_secret_post'] as const

const configuration = {
  clients: methods.map((method) => ({
    client_id: idFor(method),
    client_secret: clientSecret,
    token_endpoint_auth_method: method,
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    backchannel_logout_uri: 'http://127.0.0.1/logout',
    backchannel_logout_session_required: true,
  })),
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }] },
  cookies: { keys: ['a key for the cookies of the benchmark'] },
  claims: { openid: ['sub', 'sid'], email: ['email', 'email_verified'], profile: ['name'] },
  conformIdTokenClaims: false,
  pkce: { required: () => false },
  scopes: ['openid', 'profile', 'email', 'offline_access'],
  findAccount: (_: unknown, sub: string) => ({
    accountId: sub,
    claims: () => ({
      sub,
      name: `User ${sub}`,
      email: `${sub}@example.test`,
      email_verified: true,
    }),
  }),
  ttl: { Session: 86_400, Grant: 86_400, Interaction: 3600, IdToken: 86_400, RefreshToken: 86_400 },
  issueRefreshToken: () => true,
  rotateRefreshToken: () => true,
  // As long as access tokens of the field are, with roles and groups in them.
  extraTokenClaims: () => ({ groups: Array.from({ length: 40 }, (_, at) => `group-${at}`) }),
  interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
  loadExistingGrant: consent,
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => API,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'openid profile email offline_access',
        audience: API,
        accessTokenTTL: accessTokenSeconds,
        accessTokenFormat: 'jwt',
      }),
    },
  },
}

// Each time it says that what we have is nothing for production.
console.info = () => undefined
console.warn = () => undefined
const provider = new Provider(issuer, configuration)
// The ports of the applications are not known beforehand.
Object.assign(provider.Client.prototype, { redirectUriAllowed: () => true })
provider.on('grant.success', ({ oidc }) => {
  if (oidc.params?.['grant_type'] === 'refresh_token') refreshes += 1
})
provider.on('grant.error', ({ oidc }, error) => {
  if (oidc.params?.['grant_type'] === 'refresh_token') refused += 1
  else console.error(error)
})
provider.on('server_error', (_, error) => console.error(error))
const answer = provider.callback()
server.on('request', (request, response) => {
  if (request.url?.startsWith('/interaction/')) void signIn(request, response)
  else answer(request, response)
})

process.on('message', async (question: ProviderQuestion) => {
  if (question.ask === 'log-outs') process.send?.(await Promise.all(question.sessions.map(logout)))
  if (question.ask === 'lifetime') {
    accessTokenSeconds = question.seconds
    process.send?.(true)
  }
  if (question.ask === 'refreshes') {
    process.send?.({ refreshes, refused })
    refreshes = 0
    refused = 0
  }
})
process.on('disconnect', () => process.exit())
process.send?.({
  issuer,
  clientId,
  postClientId: idFor('client_secret_post'),
  clientSecret,
})

function idFor(method: (typeof methods)[number]): string {
  return method === 'client_secret_basic' ? clientId : `${clientId}-post`
}

/** Whoever the browser says it is. */
async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { 'x-user': said } = request.headers
  const accountId = typeof said === 'string' ? said : 'user-1'
  await provider.interactionFinished(request, response, { login: { accountId }, consent: {} })
}

async function consent({ oidc }: OidcContext): Promise<Grant> {
  const session = oidc.session as typeof oidc.session & {
    grantIdFor(clientId: string): string | undefined
  }
  const { client } = oidc
  if (client === undefined || session.accountId === undefined) throw new Error('Nobody is here.')
  const known = session.grantIdFor(client.clientId)
  const before = known === undefined ? undefined : await provider.Grant.find(known)
  if (before) return before
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope('openid profile email offline_access')
  grant.addResourceScope(API, 'openid profile email offline_access')
  await grant.save()
  return grant
}

/** A logout token as this provider sends them. */
function logout({ sub, sid }: SessionAtProvider): Promise<string> {
  return new SignJWT({
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    ...(sid !== undefined && { sid }),
  })
    .setProtectedHeader({ alg: 'RS256', kid, typ: 'logout+jwt' })
    .setIssuer(issuer)
    .setAudience(clientId)
    .setSubject(sub)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('10 minutes')
    .sign(privateKey)
}
