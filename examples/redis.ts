import { createAuth } from 'coatcheck'
import { askToSignIn, expressAuth, requireSession } from 'coatcheck/adapters/express'
import { redisStore } from 'coatcheck/stores/redis'
import express from 'express'
import { createClient } from 'redis'

const { ORIGIN = '', ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', KEY = '' } = process.env
const { REDIS = '', REPLICAS = '0' } = process.env

const client = createClient({ url: REDIS })
client.on('error', console.error)
await client.connect()

const auth = createAuth({
  origin: ORIGIN,
  provider: { issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  store: redisStore(client, { confirmReplicas: Number(REPLICAS) }),
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
