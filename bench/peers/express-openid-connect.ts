// express-openid-connect as its README has it: the session in a cookie, or by `session.store` in Redis.
import { RedisStore } from 'connect-redis'
import express from 'express'
import openIdConnect from 'express-openid-connect'
import { createClient } from 'redis'
import { ROUTE, readTask, ready, SECRET } from '../compare/task.ts'

const { auth, requiresAuth } = openIdConnect
type SessionStore = NonNullable<NonNullable<openIdConnect.ConfigParams['session']>['store']>
const { port, origin, provider, variant, redis } = readTask()

const store = variant === 'cookie' ? undefined : await openStore()
const app = express()
app.use(
  auth({
    issuerBaseURL: provider.issuer,
    baseURL: origin,
    clientID: provider.clientId,
    clientSecret: provider.clientSecret,
    secret: SECRET,
    authRequired: false,
    authorizationParams: { response_type: 'code', scope: 'openid profile email offline_access' },
    ...(store === undefined ? {} : { session: { store }, backchannelLogout: true }),
  }),
)
app.get(ROUTE, requiresAuth(), async (request, response) => {
  let token = request.oidc.accessToken
  if (token?.isExpired()) token = await token.refresh()
  const sub = request.oidc.user?.['sub']
  response.json({ sub, length: token?.access_token.length ?? 0 })
})
// Who is not signed in gets its error, and a table needs no stack of it.
app.use(
  (error: Error, _: express.Request, response: express.Response, __: express.NextFunction) => {
    response.status(Reflect.get(error, 'status') ?? 500).json({})
  },
)
app.listen(port, '127.0.0.1', () => ready())

async function openStore() {
  const client = createClient({ url: redis ?? '' })
  await client.connect()
  // Its own types are those of express-session, which say more than it uses.
  return new RedisStore({ client, prefix: 'eoc:' }) as unknown as SessionStore
}
