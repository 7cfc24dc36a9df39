import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, startModule } from './support.ts'

it('completes a sign-in by a form posted from another site, though the browser keeps Lax cookies back [COR-22]', async (t) => {
  const app = await startModule(t, { responseMode: 'form_post' })
  const browser = app.browser()
  const left = await browser.get(`${app.origin}/auth/sign-in`, { follow: false })
  const [cookie, ...others] = browser.cookies
  assert.equal(others.length, 0)
  assert.equal(cookie?.sameSite, 'None')
  assert.equal(cookie.secure && cookie.httpOnly && cookie.name.startsWith('__Host-'), true)
  assert.ok((cookie.expiresAt ?? Infinity) <= app.clock.now() + 600_000)

  const provider = await browser.follow(left)
  assert.ok(provider?.form?.automatic)
  assert.equal(provider.form.method, 'POST')
  assert.equal(provider.form.action.href, `${app.origin}/auth/callback`)
  const page = await browser.submit(provider)

  assert.equal(`${page.status} ${page.url.pathname}`, '200 /')
  assert.ok(await app.auth.session(app.as(browser)))
  // Used once, and gone with it; the session's own cookie stays Lax.
  assert.deepEqual(
    browser.cookies.filter(({ domain }) => domain === 'app.test').map(({ sameSite }) => sameSite),
    ['Lax'],
  )
  const again = await browser.submit(provider)
  assert.equal(again.status, 400)
  assert.equal(app.provider.count('token'), 1)
})

// The suite's oidcc-client-test-form-post-error.
it('shows the error that was posted, and keeps who was signed in before [COR-9, COR-10, COR-22]', async (t) => {
  const app = await startModule(t, { responseMode: 'form_post' })
  const browser = app.browser()
  await assertAccepted(app, browser)
  app.clock.forward(2000)
  app.provider.next('authorization_response', (answer) => {
    assert.equal(answer.get('error'), 'login_required')
    answer.set('error_description', '<script>alert(1)</script>')
    answer.set('error_uri', 'https://evil.test/')
  })

  const page = await browser.get(`${app.origin}/auth/sign-in?prompt=none&max_age=0`)

  const { query } = await app.provider.received('authorization', 2)
  assert.equal(query.get('response_mode'), 'form_post')
  assert.equal(`${page.status} ${page.url.pathname}`, '400 /auth/callback')
  assert.match(page.text, /The sign-in was not completed/)
  assert.doesNotMatch(page.text, /alert|evil/)
  const failures = app.heard('sign_in_failed').map(({ code }) => code)
  assert.deepEqual(failures, ['sign_in_refused'])
  assert.ok(await app.auth.session(app.as(browser)))
  assert.equal(app.provider.count('token'), 1)
})

it('shows the error to somebody who was never signed in [COR-9, COR-22]', async (t) => {
  const app = await startModule(t, { responseMode: 'form_post' })
  const browser = app.browser()
  const page = await browser.get(`${app.origin}/auth/sign-in?prompt=none&max_age=0`)
  assert.equal(`${page.status} ${page.url.pathname}`, '400 /auth/callback')
  assert.equal(await app.auth.session(app.as(browser)), undefined)
  assert.equal(app.provider.count('token'), 0)
})
