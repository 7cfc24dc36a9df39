import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, startServedModule } from './support.ts'

it('shows that the user is signed out where another state comes back, and goes nowhere [RPI-7, RPI-8]', async (t) => {
  const app = await startServedModule(t)
  const browser = app.browser()
  await assertAccepted(app, browser)
  app.provider.next('sign_out_return', ({ searchParams }) => {
    searchParams.set('state', `${searchParams.get('state')}_INVALID`)
  })

  const page = await browser.post(`${app.origin}/auth/sign-out`, { return_to: '/bye' })

  assert.ok((await app.provider.received('end_session')).query.has('state'))
  assert.equal(`${page.status} ${page.url.pathname}`, '200 /auth/signed-out')
  assert.match(page.text, /You are signed out/)
  assert.equal(await app.auth.session(app.as(browser)), undefined)
})
