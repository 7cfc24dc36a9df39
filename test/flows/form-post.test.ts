import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Application } from '../support/application.ts'
import {
  ask,
  cookieHeader,
  cookiesIn,
  depart,
  failures,
  permitted,
  sessionOf,
  start,
} from '../support/requests.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
/** What a browser says of a form that the provider's page submits. */
const ACROSS = { ...FORM, origin: 'https://op.test', 'sec-fetch-site': 'cross-site' }

/** The answer as the fields of a form. */
async function posted(
  app: Application,
): Promise<{ readonly form: URLSearchParams; readonly cookie: string }> {
  const departed = await depart(app)
  assert.equal(departed.authorization.searchParams.get('response_mode'), 'form_post')
  return { form: (await permitted(app, departed)).searchParams, cookie: departed.cookie }
}

describe('an answer that the provider posts', () => {
  it('signs in across sites, where no Lax cookie comes along, and goes on with GET [COR-22, SEC-6]', async (t) => {
    const app = await start(t, { responseMode: 'form_post' })
    const browser = app.browser()
    const page = await browser.get(`${app.origin}/auth/sign-in?return_to=/x`)
    assert.equal(page.url.href, 'https://app.test/x')
    assert.ok(await app.auth.session(app.as(browser)))
    const callback = browser.history.find(({ url }) => url.includes('/auth/callback'))
    assert.deepEqual([callback?.method, callback?.status], ['POST', 303])
    assert.equal(callback?.url, 'https://app.test/auth/callback')
  })

  it('finds its sign-in by a cookie for this alone: None, Secure, ten minutes, used once [COR-22]', async (t) => {
    const app = await start(t, { responseMode: 'form_post' })
    const { form, cookie } = await posted(app)
    const [kept] = cookiesIn((await depart(app)).response)
    assert.equal(kept?.attributes.get('samesite'), 'None')
    assert.ok(kept?.attributes.has('secure'))
    assert.equal(kept?.attributes.get('max-age'), '600')
    const how = { method: 'POST', headers: ACROSS, cookie, body: form.toString() }
    const first = await ask(app, '/auth/callback', how)
    assert.equal(first.status, 303)
    const [forgotten, ticket] = cookiesIn(first)
    assert.deepEqual([forgotten?.name, forgotten?.value], [cookie.split('=')[0], ''])
    // The session itself stays Lax.
    assert.equal(ticket?.attributes.get('samesite'), 'Lax')
    assert.equal((await ask(app, '/auth/callback', how)).status, 400)
    assert.deepEqual(failures(app), ['sign_in_repeated'])
    assert.ok(await sessionOf(app, cookieHeader(ticket ?? assert.fail())))
  })

  it('in another browser is refused [COR-2, COR-22]', async (t) => {
    const app = await start(t, { responseMode: 'form_post' })
    const { form } = await posted(app)
    const how = { method: 'POST', headers: ACROSS, body: form.toString() }
    assert.equal((await ask(app, '/auth/callback', how)).status, 400)
    assert.equal(app.provider.count('token'), 0)
  })

  it('may come as a query all the same, since some providers forget', async (t) => {
    const app = await start(t, { responseMode: 'form_post' })
    const { form, cookie } = await posted(app)
    assert.equal((await ask(app, `/auth/callback?${form}`, { cookie })).status, 303)
  })

  it('is read from the form alone: what its address says counts for nothing', async (t) => {
    const app = await start(t, { responseMode: 'form_post' })
    const { form, cookie } = await posted(app)
    const how = { method: 'POST', headers: ACROSS, cookie, body: 'x=1' }
    assert.equal((await ask(app, `/auth/callback?${form}`, how)).status, 400)
    assert.deepEqual(failures(app), ['sign_in_unknown'])
  })

  for (const [type, status] of [
    ['application/json', 415],
    ['multipart/form-data; boundary=x', 415],
    ['text/plain', 415],
    ['', 415],
    ['application/x-www-form-urlencoded; charset=UTF-8', 303],
    ['Application/X-WWW-Form-Urlencoded', 303],
  ] as const) {
    it(`as ${type || 'nothing'} is answered ${status}, and the sign-in can still end well`, async (t) => {
      const app = await start(t, { responseMode: 'form_post' })
      const { form, cookie } = await posted(app)
      const body = new Blob([form.toString()])
      const how = { method: 'POST', cookie, body }
      const headers = type === '' ? {} : { 'content-type': type }
      assert.equal((await ask(app, '/auth/callback', { ...how, headers })).status, status)
      if (status === 303) return
      assert.equal((await ask(app, '/auth/callback', { ...how, headers: FORM })).status, 303)
    })
  }
})
