// MSAL Node as Microsoft's sample "auth code with a distributed cache" wires it: express-session and the
// token cache in one Redis, and MSAL made for each request with the cache plugin of that session.
import {
  ConfidentialClientApplication,
  CryptoProvider,
  DistributedCachePlugin,
  type ICacheClient,
  type IPartitionManager,
  ProtocolMode,
} from '@azure/msal-node'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { createClient } from 'redis'
import { ROUTE, readTask, ready, SECRET } from '../compare/task.ts'
import { plainNetwork } from './msal-network.ts'

const { port, origin, provider, redis } = readTask()
const SCOPES = ['openid', 'profile', 'email', 'offline_access']
const redirectUri = `${origin}/callback`

declare module 'express-session' {
  interface SessionData {
    account: { homeAccountId: string; environment: string; tenantId: string; sub: string }
    verifier: string
  }
}

const client = createClient({ url: redis ?? '' })
await client.connect()
const cacheClient: ICacheClient = {
  get: async (key) => (await client.get(key)) ?? '',
  set: async (key, value) => (await client.set(key, value)) ?? '',
}
// Its clouds are known to MSAL beforehand; so is this provider, then.
const metadata = await plainNetwork.sendGetRequestAsync(
  `${provider.issuer}/.well-known/openid-configuration`,
)

const app = express()
app.use(
  session({
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    store: new RedisStore({ client, prefix: 'sess:' }),
  }),
)
app.get('/login', async (request, response) => {
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes()
  request.session.verifier = verifier
  const url = await msalFor(request).getAuthCodeUrl({
    scopes: SCOPES,
    redirectUri,
    // It asks for offline_access when it refreshes; this provider grants that by consent only.
    prompt: 'consent',
    codeChallenge: challenge,
    codeChallengeMethod: 'S256',
  })
  response.redirect(url)
})
app.get('/callback', async (request, response) => {
  const { account } = await msalFor(request).acquireTokenByCode({
    scopes: SCOPES,
    redirectUri,
    code: String(request.query['code']),
    codeVerifier: request.session.verifier ?? '',
  })
  if (account === null) throw new Error('Nobody signed in.')
  const { homeAccountId, environment, tenantId, localAccountId } = account
  request.session.account = {
    homeAccountId,
    environment,
    tenantId,
    sub: account.idTokenClaims?.sub ?? localAccountId,
  }
  response.send('signed in')
})
app.get(ROUTE, async (request, response) => {
  const { account: known } = request.session
  if (known === undefined) {
    response.status(401).json({})
    return
  }
  const msal = msalFor(request)
  const account = await msal.getTokenCache().getAccountByHomeId(known.homeAccountId)
  if (account === null) {
    response.status(401).json({})
    return
  }
  const { accessToken } = await msal.acquireTokenSilent({ account, scopes: SCOPES })
  response.json({ sub: known.sub, length: accessToken.length })
})
// What it cannot refresh is an error for the user, and a table needs no stack of it.
app.use((_: Error, __: express.Request, response: express.Response, ___: express.NextFunction) => {
  response.status(500).json({})
})
app.listen(port, '127.0.0.1', () => ready())

function msalFor(request: express.Request): ConfidentialClientApplication {
  const partition: IPartitionManager = {
    getKey: async () => request.session.account?.homeAccountId ?? '',
    extractKey: async (account) => account.homeAccountId,
  }
  return new ConfidentialClientApplication({
    auth: {
      clientId: provider.postClientId,
      clientSecret: provider.clientSecret,
      authority: provider.issuer.replace('http:', 'https:'),
      knownAuthorities: [new URL(provider.issuer).host],
      authorityMetadata: JSON.stringify(metadata.body),
    },
    cache: { cachePlugin: new DistributedCachePlugin(cacheClient, partition) },
    system: { protocolMode: ProtocolMode.OIDC, networkClient: plainNetwork },
  })
}
