// A route that takes a logout token, verifies its signature and claims, and does nothing.
import express from 'express'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { readTask, ready } from './task.ts'

const { port, provider } = readTask()
const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))

const app = express()
app.post('/logout', express.urlencoded({ extended: false }), async (request, response) => {
  const { issuer, clientId: audience } = provider
  await jwtVerify(request.body.logout_token, keys, { issuer, audience, typ: 'logout+jwt' })
  response.status(200).end()
})
app.listen(port, '127.0.0.1', () => ready())
