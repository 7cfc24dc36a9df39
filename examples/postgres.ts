import { createAuth } from 'coatcheck'
import { askToSignIn, expressAuth, requireSession } from 'coatcheck/adapters/express'
import { migratePostgres, postgresStore } from 'coatcheck/stores/postgres'
import express from 'express'
import pg from 'pg'

const { ORIGIN = '', ISSUER = '', CLIENT_ID = '', CLIENT_SECRET = '', KEY = '' } = process.env
const { POSTGRES = '' } = process.env

const pool = new pg.Pool({ connectionString: POSTGRES })
pool.on('error', console.error)
await migratePostgres(pool)

const auth = createAuth({
  origin: ORIGIN,
  provider: { issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  store: postgresStore(pool),
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
