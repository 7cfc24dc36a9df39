import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, startModule } from './support.ts'

it('finds the keys at an address nobody could guess, before it asks UserInfo [DIS-5]', async (t) => {
  const app = await startModule(t)
  await assertAccepted(app)
  const endpoints = app.provider.requests.map(({ endpoint }) => endpoint)
  assert.equal(endpoints[0], 'discovery')
  assert.equal(endpoints.filter((endpoint) => endpoint === 'jwks').length, 1)
  assert.ok(endpoints.indexOf('jwks') < endpoints.indexOf('userinfo'))
  const { url } = await app.provider.received('jwks')
  assert.equal(url, app.provider.metadata.jwks_uri)
})
