import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Application, startApplication } from '../support/application.ts'

const path = '/auth/sign-out'

/** Signs out without going on to the provider. */
const signOut = (
  app: Application,
  browser: Awaited<ReturnType<Application['signedIn']>>,
  form: Record<string, string> = {},
) => browser.post(app.origin + path, form, { follow: false })

it('removes here first and sends the browser on to the provider [RPI-1, RPI-2, RPI-3, RPI-5, RPI-6, RPI-7, RPI-17, RPI-18]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  app.provider.metadata.end_session_endpoint = `${app.provider.metadata.end_session_endpoint}?x=1`
  const browser = await app.signedIn()
  const cookie = app.as(browser)
  const page = await signOut(app, browser)
  assert.equal(page.status, 303)
  assert.equal(page.headers.get('referrer-policy'), 'no-referrer')
  assert.equal(page.headers.get('cache-control'), 'no-store')
  assert.equal(await app.auth.session(cookie), undefined)
  const url = new URL(page.headers.get('location') ?? '')
  assert.equal(url.searchParams.get('x'), '1')
  assert.equal(url.searchParams.get('client_id'), 'app')
  assert.equal(url.searchParams.get('post_logout_redirect_uri'), `${app.origin}/auth/signed-out`)
  const issued = app.provider.issued.filter((one) => one.kind === 'id_token')
  assert.equal(url.searchParams.get('id_token_hint'), issued.at(-1)?.value)
  assert.ok(Buffer.from(url.searchParams.get('state') ?? '', 'base64url').length >= 16)
  assert.equal(app.as(browser).headers.cookie.includes('__Host-coatcheck='), false)
})

it('comes back signed out, and the provider ended its session too [RPI-8, RPI-12]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn()
  const page = await browser.post(app.origin + path)
  assert.equal(page.status, 200)
  assert.equal(page.url.pathname, '/auth/signed-out')
  assert.match(page.text, /You are signed out/)
  assert.equal(app.provider.sessions[0]?.ended, true)
  assert.deepEqual(
    app.provider.deliveries.map(({ status }) => status),
    [200],
  )
})

it('shows the signed-out page for a wrong or missing state, and follows nothing [RPI-8]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  for (const change of [
    (url: URL) => url.searchParams.set('state', `${url.searchParams.get('state')}_INVALID`),
    (url: URL) => url.searchParams.delete('state'),
  ]) {
    const browser = await app.signedIn()
    app.provider.next('sign_out_return', change)
    const page = await browser.post(app.origin + path, { return_to: '/bye' })
    assert.equal(page.status, 200)
    assert.equal(page.url.pathname, '/auth/signed-out')
    app.clock.forward(1000)
  }
})

it('goes on to a page of the application, and to no other place [RPI-9, SEC-1]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const targets: [string, string][] = [
    ['/bye?x=1', '/bye'],
    ['https://evil.test', '/'],
    ['//evil.test', '/'],
    ['/\\evil.test', '/'],
    ['https:evil.test', '/'],
    ['/\t/evil.test', '/'],
    ['javascript:alert(1)', '/'],
  ]
  for (const [given, expected] of targets) {
    const browser = await app.signedIn()
    const page = await browser.post(app.origin + path, { return_to: given })
    assert.equal(page.url.origin, app.origin, given)
    assert.equal(page.url.pathname, expected, given)
    app.clock.forward(1000)
  }
})

it('cannot be set off by another page [RPI-10, COO-11, COO-13]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn()
  const { cookie } = app.as(browser).headers
  const forged: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' },
    { 'sec-fetch-site': 'same-site', origin: 'https://sibling.app.test' },
    { 'sec-fetch-site': 'none' },
    { origin: 'https://evil.test' },
    { origin: 'null' },
    { referer: 'https://evil.test/https://app.test/' },
    {},
  ]
  for (const headers of forged) {
    const request = new Request(app.origin + path, {
      method: 'POST',
      headers: { cookie, ...headers },
    })
    const response = await app.auth.handle(request)
    assert.equal(response.status, 403, JSON.stringify(headers))
    assert.equal(response.headers.get('set-cookie'), null)
  }
  assert.ok(await app.auth.session({ headers: { cookie } }))
  const page = await browser.get(app.origin + path)
  assert.equal(page.status, 200)
  assert.ok(await app.auth.session({ headers: { cookie } }), 'a link does not sign out')
  await browser.submit(page)
  assert.equal(await app.auth.session({ headers: { cookie } }), undefined)
})

it('knows a page of its own by any sign an older browser gives [RPI-10]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  for (const headers of [
    { origin: app.origin },
    { referer: `${app.origin}/page` },
    { 'sec-fetch-site': 'same-origin', origin: 'null' },
  ]) {
    const browser = await app.signedIn()
    const { cookie } = app.as(browser).headers
    const request = new Request(app.origin + path, {
      method: 'POST',
      headers: { cookie, ...headers } as Record<string, string>,
    })
    assert.equal((await app.auth.handle(request)).status, 303)
    assert.equal(await app.auth.session({ headers: { cookie } }), undefined)
    app.clock.forward(1000)
  }
})

it('signs out although nobody was signed in [RPI-11]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const page = await app.browser().post(app.origin + path, {}, { follow: false })
  assert.equal(page.status, 303)
  const url = new URL(page.headers.get('location') ?? '')
  assert.equal(url.searchParams.has('id_token_hint'), false)
  assert.equal(url.searchParams.get('client_id'), 'app')
})

it('does not need the provider: it is down and nothing is known of it [INV-8, RPI-1]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn()
  const { cookie } = app.as(browser).headers
  await app.provider.stop()
  const fresh = app.another()
  const headers = { cookie, 'sec-fetch-site': 'same-origin' }
  const response = await fresh.handle(new Request(app.origin + path, { method: 'POST', headers }))
  assert.equal(response.status, 303)
  assert.equal(response.headers.get('location'), `${app.origin}/auth/signed-out`)
  assert.equal(await fresh.session({ headers: { cookie } }), undefined)
  await app.provider.start()
})

it('signs out here and says so where the provider has no sign-out of its own [RPI-15]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  delete app.provider.metadata.end_session_endpoint
  const browser = await app.signedIn()
  const page = await browser.post(app.origin + path)
  assert.equal(page.url.pathname, '/auth/signed-out')
  assert.equal(app.heard('signed_out')[0]?.receipt.providerSession, 'unsupported')
})

it('passes on what the application wants to say [RPI-16]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn()
  const page = await signOut(app, browser, { logout_hint: 'alice', ui_locales: 'de fr' })
  const url = new URL(page.headers.get('location') ?? '')
  assert.equal(url.searchParams.get('logout_hint'), 'alice')
  assert.equal(url.searchParams.get('ui_locales'), 'de fr')
})

it('posts a hint that is too long for an address, and signs out all the same [RPI-14, RPI-2]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  app.provider.next('id_token', ({ claims }) => {
    claims['groups'] = 'g'.repeat(4000)
  })
  const browser = await app.signedIn()
  const page = await signOut(app, browser)
  assert.equal(page.status, 200)
  assert.equal(page.headers.get('cache-control'), 'no-store')
  assert.equal(page.headers.get('referrer-policy'), 'no-referrer')
  const endpoint = new URL(String(app.provider.metadata.end_session_endpoint)).origin
  assert.match(
    page.headers.get('content-security-policy') ?? '',
    // Narrower, and browsers stop at the provider's redirect: test/browser/sign-out.test.ts.
    new RegExp(`form-action ${endpoint} 'self' https:;`),
  )
  const end = await browser.submit(page)
  assert.equal(end.url.pathname, '/auth/signed-out')
  assert.equal(app.provider.sessions[0]?.ended, true)
})

it('sends the newest ID token as hint, also after it expired [RPI-3]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn()
  await app.auth.accessToken(app.as(browser), { forceRefresh: true })
  app.clock.forward(1_200_000)
  const page = await signOut(app, browser)
  const hint = new URL(page.headers.get('location') ?? '').searchParams.get('id_token_hint')
  const issued = app.provider.issued.filter((one) => one.kind === 'id_token')
  assert.equal(issued.length, 2)
  assert.equal(hint, issued[1]?.value)
})

it('revokes when the browser came back, not before [RPI-13]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn()
  await browser.post(app.origin + path)
  await app.provider.received('revocation')
  const order = app.provider.requests.map((request) => request.endpoint)
  assert.ok(order.indexOf('end_session') < order.indexOf('revocation'))
})

it('keeps another tab from completing a sign-in that began before [INV-13, RPI-1]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn()
  const hold = app.provider.hold('token', { grant: 'authorization_code' })
  const tab = browser.get(`${app.origin}/auth/sign-in`)
  await hold.received()
  await signOut(app, browser)
  hold.release()
  assert.equal((await tab).status, 400)
  assert.equal(app.heard('sign_in_failed').at(-1)?.code, 'signed_out_meanwhile')
  assert.equal(await app.auth.session(app.as(browser)), undefined)
})
