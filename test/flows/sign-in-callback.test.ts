import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Page } from '#coatcheck/testing/browser'
import type { Application } from '../support/application.ts'
import {
  arriving,
  ask,
  assertNotStored,
  assertSignInWorks,
  cookieHeader,
  cookiesIn,
  depart,
  failures,
  permitted,
  sessionOf,
  start,
} from '../support/requests.ts'

/** Refused, nobody signed in, and no code or token was spent on it. */
async function assertNotBegun(
  app: Application,
  response: Response,
  code = 'sign_in_unknown',
): Promise<void> {
  assert.equal(response.status, 400)
  assertNotStored(response)
  assert.deepEqual(failures(app), [code])
  assert.equal(app.provider.count('token'), 0)
  assert.deepEqual(app.heard('signed_in'), [])
  assert.ok(cookiesIn(response).every(({ value }) => value === ''))
}

describe('a callback', () => {
  it('signs in and goes where the user wanted, leaving code and state behind [SEC-5, SEC-6]', async (t) => {
    const app = await start(t)
    const { path, cookie } = await arriving(app, 'return_to=/basket?item=7%23top')
    const response = await ask(app, path, { cookie })
    assert.equal(response.status, 303)
    assert.equal(response.headers.get('location'), 'https://app.test/basket?item=7#top')
    assert.equal(response.headers.get('referrer-policy'), 'no-referrer')
    assert.equal(await response.text(), '')
    assertNotStored(response)
    assert.ok(await sessionOf(app, cookieHeader(...cookiesIn(response))))
  })

  it('says no referrer on its error page too [SEC-5]', async (t) => {
    const app = await start(t)
    const response = await ask(app, '/auth/callback?code=c&state=s')
    assert.equal(response.headers.get('referrer-policy'), 'no-referrer')
  })

  it('in another browser than the one that left is refused [COR-2, SEC-2]', async (t) => {
    const app = await start(t)
    const { path } = await arriving(app)
    await assertNotBegun(app, await ask(app, path))
    await assertSignInWorks(app)
  })

  it('with the cookie of another sign-in is refused [COR-2, SEC-2]', async (t) => {
    const app = await start(t)
    const [victim, attacker] = [await arriving(app), await arriving(app)]
    await assertNotBegun(app, await ask(app, attacker.path, { cookie: victim.cookie }))
  })

  for (const [title, change] of Object.entries({
    'another state': (query: URLSearchParams) => query.set('state', 'A'.repeat(43)),
    'no state': (query: URLSearchParams) => query.delete('state'),
    'an empty state': (query: URLSearchParams) => query.set('state', ''),
    'a state cut short': (query: URLSearchParams) =>
      query.set('state', (query.get('state') ?? '').slice(0, -1)),
    'a state with more behind it': (query: URLSearchParams) =>
      query.set('state', `${query.get('state')}A`),
    'an error for a sign-in nobody began': (query: URLSearchParams) => {
      query.set('error', 'access_denied')
      query.set('state', 's')
    },
  })) {
    it(`with ${title} is refused, and the true answer still counts [COR-2]`, async (t) => {
      const app = await start(t)
      const { path, cookie } = await arriving(app)
      const url = new URL(path, app.origin)
      change(url.searchParams)
      await assertNotBegun(app, await ask(app, url.href, { cookie }))
      assert.equal((await ask(app, path, { cookie })).status, 303)
    })
  }

  it('after ten minutes is refused, and a moment before is not [COR-2]', async (t) => {
    const app = await start(t)
    app.provider.settings.codeSeconds = 3600
    const [late, inTime] = [await arriving(app), await arriving(app)]
    app.clock.forward(599_999)
    assert.equal((await ask(app, inTime.path, { cookie: inTime.cookie })).status, 303)
    app.clock.forward(1)
    const response = await ask(app, late.path, { cookie: late.cookie })
    assert.equal(response.status, 400)
    assert.deepEqual(failures(app), ['sign_in_unknown'])
    assert.equal(app.provider.count('token'), 1)
  })

  it('that comes many times at once, in several processes, counts once [COR-7]', async (t) => {
    const app = await start(t)
    const auths = [app.auth, app.another(), app.another()]
    const { path, cookie } = await arriving(app)
    const answers = await Promise.all(
      [...auths, ...auths].map((auth) => ask(app, path, { cookie, auth })),
    )
    const statuses = answers.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [303, 400, 400, 400, 400, 400])
    assert.equal(app.provider.count('token'), 1)
    assert.equal((await app.auth.sessions({ subject: 'U1' })).length, 1)
    assert.deepEqual(new Set(failures(app)), new Set(['sign_in_repeated']))
  })

  it('that comes again later counts once, also when the first one failed [COR-7, COR-2]', async (t) => {
    const app = await start(t)
    const good = await arriving(app)
    assert.equal((await ask(app, good.path, { cookie: good.cookie })).status, 303)
    const again = await ask(app, good.path, { cookie: good.cookie })
    assert.equal(again.status, 400)
    app.provider.next('id_token', ({ claims }) => {
      claims.nonce = 'another'
    })
    const bad = await arriving(app)
    for (let time = 0; time < 2; time++) {
      assert.equal((await ask(app, bad.path, { cookie: bad.cookie })).status, 400)
    }
    assert.deepEqual(failures(app), ['sign_in_repeated', 'id_token_invalid', 'sign_in_repeated'])
    assert.equal(app.provider.count('token'), 2)
    assert.equal((await app.auth.sessions({ subject: 'U1' })).length, 1)
  })

  it('that names another issuer is refused, and its code goes nowhere [COR-6, SEC-3]', async (t) => {
    const app = await start(t)
    for (const iss of ['https://op2.test', `${app.provider.issuer}/`, '']) {
      const { path, cookie } = await arriving(app)
      const url = new URL(path, app.origin)
      url.searchParams.set('iss', iss)
      assert.equal((await ask(app, url.href, { cookie })).status, 400)
    }
    const { path, cookie } = await arriving(app)
    const url = new URL(path, app.origin)
    url.searchParams.delete('iss')
    assert.equal((await ask(app, url.href, { cookie })).status, 400)
    assert.deepEqual(failures(app), Array(4).fill('issuer_mismatch'))
    assert.equal(app.provider.count('token'), 0)
  })

  it('of a sign-in that began at another provider is refused, also without any iss [COR-6, SEC-3]', async (t) => {
    const app = await start(t)
    // The same deployment a moment later, with another provider.
    const moved = await start(t, { store: app.store, given: { clock: app.clock } })
    for (const { provider } of [app, moved]) {
      provider.metadata.authorization_response_iss_parameter_supported = false
    }
    const { path, cookie } = await arriving(app)
    assert.equal(new URL(path, app.origin).searchParams.has('iss'), false)
    await assertNotBegun(moved, await ask(moved, path, { cookie }), 'issuer_mismatch')
    assert.equal(app.provider.count('token'), 0)
    await assertSignInWorks(moved)
  })

  it('may say more than is known here [COR-8]', async (t) => {
    const app = await start(t)
    app.provider.next('authorization_response', (response) => {
      response.set('session_state', 'x.y')
      response.append('foo', 'bar')
      response.append('foo', 'baz')
      response.set('__proto__', 'polluted')
    })
    await assertSignInWorks(app)
  })

  it('is held to state and nonce also where the provider does not know PKCE [COR-5]', async (t) => {
    const app = await start(t)
    delete app.provider.metadata.code_challenge_methods_supported
    const departed = await depart(app)
    assert.equal(departed.authorization.searchParams.get('code_challenge_method'), 'S256')
    const { pathname, search } = await permitted(app, departed)
    await assertNotBegun(app, await ask(app, pathname + search))
    app.provider.next('id_token', ({ claims }) => {
      claims.nonce = 'of another sign-in'
    })
    const { path, cookie } = await arriving(app)
    assert.equal((await ask(app, path, { cookie })).status, 400)
    assert.deepEqual(failures(app), ['sign_in_unknown', 'id_token_invalid'])
  })

  it('completes each of several sign-ins in the tabs of one browser, in any order [COR-2]', async (t) => {
    const app = await start(t)
    const browser = app.browser()
    const tabs: (Page | undefined)[] = []
    for (const name of ['a', 'b', 'c']) {
      const url = `${app.origin}/auth/sign-in?return_to=/${name}`
      const page = await browser.get(url, { follow: false })
      tabs.push(await browser.follow(page))
    }
    const ends: (string | null | undefined)[] = []
    for (const tab of tabs.reverse()) {
      const callback = await browser.follow(tab ?? assert.fail())
      ends.push(callback?.headers.get('location'))
    }
    assert.deepEqual(ends, ['https://app.test/c', 'https://app.test/b', 'https://app.test/a'])
    assert.ok(await app.auth.session(app.as(browser)))
    assert.equal((await app.auth.sessions({ subject: 'U1' })).length, 1)
  })
})
