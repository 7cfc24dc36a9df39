import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, startServedModule } from './support.ts'

it('ends at the provider with hint, return address and state, hears both channels on the way, and comes back [RPI-2, RPI-3, RPI-5, RPI-7, RPI-12]', async (t) => {
  const app = await startServedModule(t)
  const { provider } = app
  provider.settings.frontChannel = true
  const browser = app.browser()
  await assertAccepted(app, browser)

  const page = await browser.post(`${app.origin}/auth/sign-out`, { return_to: '/bye' })

  assert.equal(`${page.status} ${page.url.pathname}`, '200 /bye')
  assert.equal(await app.auth.session(app.as(browser)), undefined)
  assert.equal(provider.count('end_session'), 1)
  const { method, query } = await provider.received('end_session')
  assert.equal(method, 'GET')
  const hint = provider.issued.find(({ value }) => value === query.get('id_token_hint'))
  assert.equal(hint?.kind, 'id_token')
  assert.equal(query.get('post_logout_redirect_uri'), `${app.origin}/auth/signed-out`)
  assert.ok(Buffer.from(query.get('state') ?? '', 'base64url').length >= 16)
  assert.deepEqual(
    provider.deliveries.map(({ status }) => status),
    [200],
  )
  const framed = browser.history.filter((visit) => visit.framed)
  assert.deepEqual(
    framed.map(({ status }) => status),
    [200],
  )
  // One removal is told, however many told of it.
  const removals = app.heard('signed_out').filter(({ receipt }) => receipt.removed > 0)
  assert.deepEqual(
    removals.map(({ receipt }) => receipt.cause),
    ['user'],
  )
})
