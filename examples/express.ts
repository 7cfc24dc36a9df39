import { createAuth } from 'coatcheck'
import { askToSignIn, expressAuth, requireSession } from 'coatcheck/adapters/express'
import { lmdbOptions, lmdbStore } from 'coatcheck/stores/lmdb'
import express from 'express'
import { open } from 'lmdb'

const { ORIGIN = '', ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', KEY = '' } = process.env

const auth = createAuth({
  origin: ORIGIN,
  provider: { issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  store: lmdbStore(open({ path: './data', ...lmdbOptions })),
  keys: [KEY],
  scope: 'openid profile offline_access',
})

const app = express()
app.use(expressAuth(auth))
app.get('/', requireSession(auth), async (request, response) => {
  const answer = await auth.fetch(request, 'https://api.example/orders')
  response.json(await answer.json())
})
app.use(askToSignIn(auth))
app.listen(3000)
