// @hono/oidc-auth as its README has it. What is kept of the tokens is up to its claims hook.
import { serve } from '@hono/node-server'
import {
  getAuth,
  initOidcAuthMiddleware,
  oidcAuthMiddleware,
  processOAuthCallback,
} from '@hono/oidc-auth'
import { Hono } from 'hono'
import { ROUTE, readTask, ready, SECRET } from '../compare/task.ts'

const { port, origin, provider } = readTask()

const app = new Hono()
app.use(
  initOidcAuthMiddleware({
    OIDC_AUTH_SECRET: SECRET,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: provider.clientId,
    OIDC_CLIENT_SECRET: provider.clientSecret,
    OIDC_REDIRECT_URI: `${origin}/callback`,
    OIDC_SCOPES: 'openid profile email offline_access',
    // It refreshes by this clock, and never looks at the token's.
    OIDC_AUTH_REFRESH_INTERVAL: '43200',
  }),
)
app.use(async (context, next) => {
  context.set('oidcClaimsHook', async (before, claims, response) => ({
    ...(claims?.sub !== undefined && { sub: claims.sub }),
    accessToken: response.access_token ?? before?.['accessToken'],
  }))
  await next()
})
app.get('/callback', (context) => processOAuthCallback(context))
app.use('*', oidcAuthMiddleware())
app.get('/login', (context) => context.text('signed in'))
app.get(ROUTE, async (context) => {
  const auth = await getAuth(context)
  return context.json({ sub: auth?.sub, length: String(auth?.['accessToken'] ?? '').length })
})
serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => ready())
