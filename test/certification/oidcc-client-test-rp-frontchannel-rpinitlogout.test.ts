import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, assertFrameable, startServedModule } from './support.ts'

it('lets the provider frame it without cookies, ends what is named there, and comes back [FCL-1, FCL-2, FCL-3, FCL-4, FCL-14]', async (t) => {
  const app = await startServedModule(t)
  Object.assign(app.provider.settings, { frontChannel: true, backChannel: false })
  const [browser, elsewhere] = [app.browser(), app.browser()]
  await assertAccepted(app, browser)
  await assertAccepted(app, elsewhere)

  const page = await browser.post(`${app.origin}/auth/sign-out`)

  assert.equal(`${page.status} ${page.url.pathname}`, '200 /auth/signed-out')
  const frames = browser.history.filter((visit) => visit.framed)
  assert.equal(frames.length, 1)
  assert.equal(await app.auth.session(app.as(elsewhere)), undefined)
  const removed = app.heard('signed_out').map(({ receipt }) => [receipt.cause, receipt.removed])
  assert.deepEqual(removed, [
    ['user', 1],
    ['front_channel', 1],
  ])
  await assertFrameable(app, frames[0]?.url ?? '')
})

it('answers the frame of a provider that names nobody, and signs nobody else out [FCL-9, FCL-19]', async (t) => {
  const app = await startServedModule(t)
  Object.assign(app.provider.settings, { frontChannel: true, backChannel: false })
  app.provider.register({
    client_id: 'app',
    origin: app.origin,
    frontchannel_logout_session_required: false,
  })
  const [browser, elsewhere] = [app.browser(), app.browser()]
  await assertAccepted(app, browser)
  await assertAccepted(app, elsewhere)

  const page = await browser.post(`${app.origin}/auth/sign-out`)

  assert.equal(`${page.status} ${page.url.pathname}`, '200 /auth/signed-out')
  const frame = browser.history.find((visit) => visit.framed)
  assert.equal(frame?.url, `${app.origin}/auth/frontchannel-logout`)
  assert.equal(app.heard('front_channel_unidentified').length, 1)
  assert.ok(await app.auth.session(app.as(elsewhere)))
  await assertFrameable(app, frame.url)
})
