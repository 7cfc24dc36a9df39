import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { TestBrowser } from '#coatcheck/testing/browser'
import type { Application } from '../support/application.ts'
import { assertAccepted, assertFrameable, startServedModule, suiteSid } from './support.ts'

/** Five at a time as the suite draws them, and what makes a query hard to read. */
const punctuation = [
  ...[' !"$%', "&'()*", '+,-./', ':;<=>', '?@[\\]', '^_`{|', '}~!"$'],
  ...['& "<+', '+&=% ;', '&&==+', '%25+&', "<&='~", '  & ~'],
]

for (const five of punctuation) {
  it(`ends the session that the provider's own sign-out page names by a sid with ${five} as it stands [FCL-1, FCL-15, COR-24]`, async (t) => {
    const app = await startServedModule(t)
    const bystander = await signInAs(app, suiteSid('/;[{!'))
    const browser = await signInAs(app, suiteSid(five))

    const frame = await signOutAtProvider(app, browser)

    assert.ok(frame.url.includes('&sid=aBcDeFgHiJkLmNoPqRsT0123456789'))
    assert.equal(await app.auth.session(app.as(browser)), undefined)
    assert.ok(await app.auth.session(app.as(bystander)))
    await assertFrameable(app, frame.url)
  })
}

it('answers a frame whose sid was cut off by a # of its own, and signs nobody out [FCL-2, FCL-15]', async (t) => {
  const app = await startServedModule(t)
  const browser = await signInAs(app, suiteSid('!#&+%'))
  const frame = await signOutAtProvider(app, browser)
  assert.ok(await app.auth.session(app.as(browser)))
  assert.equal(app.heard('front_channel_unidentified').length, 1)
  await assertFrameable(app, frame.url)
})

async function signInAs(app: Application, sid: string): Promise<TestBrowser> {
  app.provider.user = { sub: 'U1', sid }
  const browser = app.browser()
  await assertAccepted(app, browser)
  return browser
}

/** Opens the provider's own sign-out page, as the tester of this module is asked to. */
async function signOutAtProvider(app: Application, browser: TestBrowser): Promise<{ url: string }> {
  Object.assign(app.provider.settings, { frontChannel: true, backChannel: false })
  const page = await browser.get(String(app.provider.metadata.end_session_endpoint))
  assert.equal(page.status, 200)
  const frames = browser.history.filter((visit) => visit.framed)
  assert.equal(frames.length, 1)
  assert.equal(frames[0]?.status, 200)
  return frames[0]
}
