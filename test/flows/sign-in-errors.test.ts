import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AuthOptions } from '#coatcheck'
import type { Page, TestBrowser } from '#coatcheck/testing/browser'
import type { Application } from '../support/application.ts'
import {
  arriving,
  ask,
  assertNotStored,
  assertSignInWorks,
  cookiesIn,
  failures,
  start,
} from '../support/requests.ts'

const HOSTILE = `"><script>alert(1)</script><a href='https://evil.example/'>here</a> javascript:x`

describe('an error in place of a code', () => {
  for (const responseMode of ['query', 'form_post'] as const) {
    it(`ends that sign-in and nothing else, as ${responseMode} [COR-9]`, async (t) => {
      const app = await start(t, { responseMode })
      const browser = await app.signedIn()
      const page = await refuse(app, browser, { error: 'access_denied' })
      assert.equal(page.status, 400)
      assert.deepEqual(failures(app), ['sign_in_refused'])
      assert.equal(app.provider.count('token'), 1)
      assert.ok(await app.auth.session(app.as(browser)), 'the session before is gone')
      assert.ok((await app.auth.accessToken(app.as(browser))).value)
      // Over for good: what is left is the session.
      assert.equal(browser.cookies.filter(({ domain }) => domain === 'app.test').length, 1)
      await browser.get(`${app.origin}/auth/sign-in`)
      assert.equal((await app.auth.sessions({ subject: 'U1' })).length, 1)
    })
  }

  it('comes before any code that stands beside it [COR-9]', async (t) => {
    const app = await start(t)
    app.provider.next('authorization_response', (response) => {
      response.set('error', 'server_error')
    })
    const { path, cookie } = await arriving(app)
    assert.equal((await ask(app, path, { cookie })).status, 400)
    assert.equal(app.provider.count('token'), 0)
  })

  for (const error of ['access_denied', HOSTILE, '', 'x'.repeat(5000), '\u0000', '__proto__']) {
    it(`shows nothing of what the provider wrote: ${JSON.stringify(error.slice(0, 20))} [COR-10, SEC-10]`, async (t) => {
      const app = await start(t)
      const said = { error, error_description: HOSTILE, error_uri: 'javascript:alert(2)' }
      const page = await refuse(app, app.browser(), said)
      assert.equal(page.status, 400)
      assert.equal(page.headers.get('location'), null)
      for (const word of ['script', 'evil', 'alert', 'xxxx', 'access_denied', '__proto__']) {
        assert.equal(page.text.includes(word), false, word)
      }
      const policy = page.headers.get('content-security-policy') ?? ''
      assert.match(policy, /default-src 'none'/)
      assert.match(policy, /frame-ancestors 'none'/)
      assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
      assert.match(page.headers.get('cache-control') ?? '', /no-store/)
      assert.deepEqual(failures(app), ['sign_in_refused'])
      assert.equal(JSON.stringify(app.events).includes('evil'), false)
    })
  }
})

describe('a refusal without the user (prompt=none)', () => {
  it('ends the session here, since the one at the provider is over [COR-9]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn()
    const before = app.as(browser)
    const page = await refuse(app, browser, { error: 'login_required' }, '?prompt=none')
    assert.equal(page.status, 400)
    assert.deepEqual(failures(app), ['sign_in_refused'])
    assert.equal(await app.auth.session(before), undefined)
    const [ended, ...more] = app.heard('signed_out')
    assert.equal(more.length, 0)
    assert.equal(ended?.receipt.cause, 'provider_refused')
    assert.equal(ended?.receipt.removed, 1)
    assert.equal(ended?.receipt.providerSession, 'ended_by_provider')
  })

  it('ends it where the answer is posted across sites, and the session cookie stays at home [COR-9]', async (t) => {
    const app = await start(t, { responseMode: 'form_post' })
    const browser = await app.signedIn()
    const before = app.as(browser)
    await refuse(app, browser, { error: 'login_required' }, '?prompt=none')
    assert.equal(await app.auth.session(before), undefined)
    assert.equal(app.heard('signed_out').at(-1)?.receipt.cause, 'provider_refused')
  })

  const kept: [string, string, string, Partial<AuthOptions>][] = [
    ['without prompt=none', 'login_required', '', {}],
    ['that only means that the user has to do something', 'interaction_required', 'none', {}],
    ['for want of consent', 'consent_required', 'none', {}],
    ['by choice of the user', 'access_denied', 'none', {}],
    ['of a fresher sign-in', 'login_required', 'none&max_age=0', {}],
    ['of a stronger sign-in', 'login_required', 'none&acr_values=mfa', {}],
    ['of another user', 'login_required', 'none&login_hint=U2', {}],
    [
      'of a level the application asks for',
      'login_required',
      'none',
      { authorizationParameters: { acr_values: 'mfa' } },
    ],
  ]
  for (const [title, error, prompt, options] of kept) {
    it(`${title} leaves the session alone [COR-9]`, async (t) => {
      const app = await start(t, options)
      app.provider.users.set('U2', { sub: 'U2' })
      const browser = await app.signedIn()
      await refuse(app, browser, { error }, prompt === '' ? '' : `?prompt=${prompt}`)
      assert.deepEqual(failures(app), ['sign_in_refused'])
      assert.ok(await app.auth.session(app.as(browser)))
      assert.equal(app.heard('signed_out').length, 0)
    })
  }

  it('of a sign-in that nobody of this browser began ends nothing [COR-9, COO-11]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn()
    const forged = `${app.origin}/auth/callback?error=login_required&state=${'A'.repeat(43)}`
    const page = await browser.get(forged, { from: 'https://evil.example/' })
    assert.equal(page.status, 400)
    assert.ok(await app.auth.session(app.as(browser)))
  })

  it('with a good answer signs in anew without a question', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    const before = app.as(browser)
    const page = await browser.get(`${app.origin}/auth/sign-in?prompt=none&return_to=/x`)
    assert.equal(page.url.pathname, '/x')
    assert.equal(await app.auth.session(before), undefined)
    assert.equal((await app.auth.session(app.as(browser)))?.sid, 'S1')
  })
})

describe('the page that tells of a failed sign-in', () => {
  it('is the same whichever check failed [SEC-10]', async (t) => {
    const app = await start(t)
    const shown = new Set<string>()
    const lies: ((claims: Record<string, unknown>) => void)[] = [
      (claims) => Object.assign(claims, { nonce: 'x' }),
      (claims) => Object.assign(claims, { aud: 'C9' }),
      (claims) => Object.assign(claims, { exp: 1 }),
      (claims) => Object.assign(claims, { sub: '' }),
      (claims) => Object.assign(claims, { iss: 'https://op2.test' }),
    ]
    for (const lie of lies) {
      app.provider.next('id_token', ({ claims }) => lie(claims))
      const { path, cookie } = await arriving(app)
      const response = await ask(app, path, { cookie })
      assertNotStored(response)
      shown.add(await response.text())
    }
    assert.equal(shown.size, 1)
    assert.doesNotMatch([...shown][0] ?? '', /nonce|aud|exp\b|sub\b|iss\b|token/)
  })

  it('is a problem document for a program', async (t) => {
    const app = await start(t)
    const headers = { accept: 'application/json', 'sec-fetch-mode': 'cors' }
    const response = await ask(app, '/auth/callback?state=x', { headers })
    assert.equal(response.headers.get('content-type'), 'application/problem+json')
    const { code, status } = await response.json()
    assert.deepEqual({ code, status }, { code: 'sign_in_unknown', status: 400 })
    assertNotStored(response)
  })

  it('drops the cookie of the failed sign-in, and the next sign-in works', async (t) => {
    const app = await start(t)
    const browser = app.browser()
    await refuse(app, browser, { error: 'temporarily_unavailable' })
    assert.deepEqual(
      browser.cookies.filter(({ domain }) => domain === 'app.test'),
      [],
    )
    const page = await browser.get(`${app.origin}/auth/sign-in?return_to=/there`)
    assert.equal(page.url.pathname, '/there')
    await assertSignInWorks(app)
    assert.deepEqual(cookiesIn(await ask(app, '/auth/callback?state=x')), [])
  })
})

/** A sign-in that the provider answers with an error. */
function refuse(
  app: Application,
  browser: TestBrowser,
  said: Record<string, string>,
  query = '',
): Promise<Page> {
  app.provider.next('authorization_response', (response) => {
    response.delete('code')
    for (const [name, value] of Object.entries(said)) response.set(name, value)
  })
  return browser.get(`${app.origin}/auth/sign-in${query}`)
}
