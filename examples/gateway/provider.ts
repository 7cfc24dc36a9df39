// npx node provider.ts: what the gateway of this folder needs besides, to be tried without an
// account anywhere. The provider signs everybody in as Ada without asking. It is for tests.
import { startProvider } from 'coatcheck/testing'
import { createApi } from './api.ts'

const { ORIGIN = 'http://127.0.0.1:8080', PORT = '4000', API_PORT = '5000' } = process.env

const provider = await startProvider({
  port: Number(PORT),
  user: { sub: 'ada', claims: { name: 'Ada', email: 'ada@example.org' } },
  clients: [{ client_id: 'gateway', client_secret: 'a secret of the example', origin: ORIGIN }],
})
const api = createApi((accessToken) => provider.introspect(accessToken) !== undefined)
api.listen(Number(API_PORT), '127.0.0.1', () => {
  console.log(`Provider: ${provider.issuer}. API: http://127.0.0.1:${API_PORT}.`)
  console.log('Enter signs everybody out at the provider.')
})
process.stdin.on('data', async () => {
  for (const { sid = '', ended } of provider.sessions) if (!ended) await provider.endSession(sid)
})
