import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, startModule } from './support.ts'

it('asks for the configuration first, and uses the endpoints it names [DIS-1]', async (t) => {
  const app = await startModule(t)
  await assertAccepted(app)
  const [first] = app.provider.requests
  assert.equal(first?.method, 'GET')
  assert.equal(first?.url, `${app.provider.issuer}/.well-known/openid-configuration`)
  assert.equal(app.provider.count('discovery'), 1)
  assert.equal(app.provider.count('unknown'), 0)
})
