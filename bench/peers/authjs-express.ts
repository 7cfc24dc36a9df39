// Auth.js on Express, its session in a cookie, with the refresh of its guide "Refresh Token Rotation".
import { ExpressAuth, type ExpressAuthConfig, getSession } from '@auth/express'
import express from 'express'
import { ROUTE, readTask, ready, SECRET } from '../compare/task.ts'

const { port, provider } = readTask()

const config: ExpressAuthConfig = {
  secret: SECRET,
  trustHost: true,
  providers: [
    {
      id: 'bench',
      name: 'Bench',
      type: 'oidc',
      issuer: provider.issuer,
      clientId: provider.clientId,
      clientSecret: provider.clientSecret,
      authorization: { params: { scope: 'openid profile email offline_access' } },
    },
  ],
  callbacks: {
    async jwt({ token, account }) {
      if (account) {
        return {
          ...token,
          sub: account.providerAccountId,
          accessToken: account.access_token,
          expiresAt: account.expires_at,
          refreshToken: account.refresh_token,
        }
      }
      if (Date.now() < Number(token['expiresAt']) * 1000) return token
      return refreshed(token)
    },
    session({ session, token }) {
      return Object.assign(session, {
        sub: token.sub,
        accessToken: token['accessToken'],
        error: token['error'],
      })
    },
  },
}

const app = express()
app.set('trust proxy', true)
// Of Express 4, it looks for its action in the first group of the path.
app.use(/^\/auth\/(.*)/, ExpressAuth(config))
app.get(ROUTE, async (request, response) => {
  const session = (await getSession(request, config)) as unknown as {
    readonly sub: string
    readonly accessToken: string
    readonly error?: string
  } | null
  if (session === null || session.error !== undefined) {
    response.status(401).json({})
    return
  }
  response.json({ sub: session.sub, length: session.accessToken.length })
})
app.listen(port, '127.0.0.1', () => ready())

async function refreshed<Token extends Record<string, unknown>>(token: Token) {
  const { clientId, clientSecret, issuer } = provider
  const answer = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${clientId}:${encodeURIComponent(clientSecret)}`)}`,
    },
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: String(token['refreshToken']),
    }),
  })
  if (!answer.ok) return { ...token, error: 'RefreshTokenError' }
  const { access_token, expires_in, refresh_token } = await answer.json()
  return {
    ...token,
    accessToken: access_token,
    expiresAt: Math.floor(Date.now() / 1000 + expires_in),
    refreshToken: refresh_token ?? token['refreshToken'],
  }
}
