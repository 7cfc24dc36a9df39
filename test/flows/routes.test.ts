import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Routes } from '#coatcheck'
import { ask, assertNotStored, assertSignInWorks, failures, start } from '../support/requests.ts'

const ALLOWED = {
  '/auth/sign-in': ['GET'],
  '/auth/callback': ['GET', 'POST'],
  '/auth/sign-out': ['GET', 'POST'],
  '/auth/signed-out': ['GET'],
  '/auth/backchannel-logout': ['POST'],
  '/auth/frontchannel-logout': ['GET'],
  '/auth/session': ['GET'],
}
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'get2']
/** What an object would answer by itself. */
const INHERITED = ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'valueOf']

describe('the paths of coatcheck', () => {
  it('are the seven routes, with or without a slash at the end, and nothing near them', async (t) => {
    const { auth } = await start(t)
    for (const path of Object.keys(ALLOWED)) {
      assert.ok(auth.owns(path))
      assert.ok(auth.owns(`${path}/`))
      for (const near of [
        `${path}//`,
        `/${path}`,
        `${path}x`,
        `x${path}`,
        `${path}/x`,
        `${path}?x=1`,
        `${path}#x`,
        `${path};x`,
        `${path}%2f`,
        `${path}%00`,
        ` ${path}`,
        `${path} `,
        path.toUpperCase(),
        path.replace('/auth/', '/auth//'),
        path.replace('/auth/', '/auth/./'),
        path.replace('/auth/', '\\auth\\'),
        path.slice(1),
        `https://app.test${path}`,
      ]) {
        assert.equal(auth.owns(near), false, near)
      }
    }
    for (const path of ['', '/', '//', '/auth', '/auth/', '*', '__proto__', 'constructor']) {
      assert.equal(auth.owns(path), false, path)
    }
  })

  it('answer 404 to what is not theirs', async (t) => {
    const app = await start(t)
    for (const path of ['/', '/auth', '/auth/sign-in/x', '/AUTH/sign-in', '/auth/sign-in//']) {
      assert.equal((await ask(app, path)).status, 404, path)
    }
    // A URL is read as a browser reads it.
    assert.equal((await ask(app, '/auth/x/../sign-in')).status, 303)
  })

  it('may be chosen, each of them', async (t) => {
    const routes: Routes = {
      signIn: '/in',
      callback: '/cb',
      signOut: '/out',
      signedOut: '/bye',
      backChannelLogout: '/bcl',
      frontChannelLogout: '/fcl',
      session: '/me',
    }
    const app = await start(t, { routes })
    app.provider.register({ client_id: 'app', redirect_uris: ['https://app.test/cb'] })
    for (const path of Object.values(routes)) assert.ok(app.auth.owns(path))
    for (const path of Object.keys(ALLOWED)) assert.equal(app.auth.owns(path), false)
    const browser = app.browser()
    const page = await browser.get(`${app.origin}/in?return_to=/x`)
    assert.equal(page.url.pathname, '/x')
    assert.ok(await app.auth.session(app.as(browser)))
    assert.equal(app.auth.signInPath('/y'), '/in?return_to=%2Fy')
    const { registration } = await app.auth.coverage()
    assert.deepEqual(registration['redirect_uris'], ['https://app.test/cb'])
    assert.equal(registration['backchannel_logout_uri'], 'https://app.test/bcl')
  })
})

describe('a method that a route does not answer', () => {
  it('is answered 405 with those it does, and nothing happens [COO-11]', async (t) => {
    const app = await start(t)
    const cookie = app.as(await app.signedIn()).headers.cookie
    for (const [path, allowed] of Object.entries(ALLOWED)) {
      for (const method of [...METHODS, ...INHERITED]) {
        if (allowed.includes(method)) continue
        const response = await ask(app, path, { method, cookie })
        assert.equal(response.status, 405, `${method} ${path}`)
        assert.equal(response.headers.get('allow'), allowed.join(', '))
        assert.equal(await response.text(), '')
        assert.deepEqual(response.headers.getSetCookie(), [])
        assertNotStored(response)
      }
    }
    assert.ok(await app.auth.session({ headers: { cookie } }))
    assert.equal(app.heard('signed_out').length, 0)
  })
})

describe('a failed sign-in', () => {
  it('is told to the observer also where the path had a slash at its end', async (t) => {
    const app = await start(t)
    assert.equal((await ask(app, '/auth/callback/?state=x')).status, 400)
    assert.equal((await ask(app, '/auth/sign-in/?prompt=a&prompt=b')).status, 400)
    assert.deepEqual(failures(app), ['sign_in_unknown', 'request_invalid'])
  })
})

describe('signInPath', () => {
  it('leads to the sign-in that comes back, whatever characters the way back has', async (t) => {
    const app = await start(t)
    assert.equal(app.auth.signInPath(), '/auth/sign-in')
    for (const way of ['/', '/a?b=c&d=%20e#f', '/caf\u00e9?x=+y', '/a&return_to=/b', '/"\'<>']) {
      const browser = app.browser()
      const page = await browser.get(app.origin + app.auth.signInPath(way))
      assert.equal(page.url.href, new URL(way, app.origin).href)
    }
  })

  it('leads home from a way back that is none', async (t) => {
    const app = await start(t)
    const page = await app.browser().get(app.origin + app.auth.signInPath('//evil.example'))
    assert.equal(page.url.href, 'https://app.test/')
  })
})

describe('the session route', () => {
  it('says who is signed in and until when, and never a token [COO-20]', async (t) => {
    const app = await start(t, { userInfo: true })
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    const { cookie } = app.as(browser).headers
    const response = await ask(app, '/auth/session', { cookie })
    assertNotStored(response)
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/)
    assert.equal(response.headers.get('cross-origin-resource-policy'), 'same-origin')
    const text = await response.text()
    assert.deepEqual(JSON.parse(text), {
      authenticated: true,
      subject: 'U1',
      expiresAt: app.clock.now() + 3_600_000,
      name: 'User U1',
      preferred_username: 'U1',
      email: 'U1@provider.test',
    })
    for (const secret of app.provider.secrets()) assert.equal(text.includes(secret), false)
  })

  it('shows a sign-out at once, in every process, and forgets nobody else [COO-20]', async (t) => {
    const app = await start(t)
    const [gone, kept] = [
      await app.signedIn({ sub: 'U1', sid: 'S1' }),
      await app.signedIn({ sub: 'U2', sid: 'S2' }),
    ]
    app.clock.forward(1000)
    const parts = { session: { sub: 'U1', sid: 'S1' } }
    assert.equal((await app.logout(await app.provider.logoutToken(parts))).status, 200)
    for (const auth of [app.auth, app.another()]) {
      const { cookie } = app.as(gone).headers
      const response = await ask(app, '/auth/session', { cookie, auth })
      assertNotStored(response)
      assert.deepEqual(await response.json(), { authenticated: false })
      const other = await ask(app, '/auth/session', { cookie: app.as(kept).headers.cookie, auth })
      assert.equal((await other.json()).authenticated, true)
    }
  })

  it('does not know where it cannot know, and says so [COO-20]', async (t) => {
    const app = await start(t)
    const { cookie } = app.as(await app.signedIn()).headers
    const store = {
      ...app.store,
      get: () => {
        throw new Error('gone')
      },
    }
    const auth = app.another({ store })
    const headers = { accept: 'application/json', 'sec-fetch-mode': 'cors' }
    const response = await ask(app, '/auth/session', { cookie, auth, headers })
    assert.equal(response.status, 503)
    assertNotStored(response)
    assert.deepEqual(response.headers.getSetCookie(), [])
    assert.equal((await response.json()).code, 'store_unavailable')
    await assertSignInWorks(app)
  })
})

describe('an auth that was closed', () => {
  it('says so to whoever asks it, and leaves the store to the others', async (t) => {
    const app = await start(t)
    const request = app.as(await app.signedIn())
    const closed = app.another()
    await closed.close()
    const closedly = { code: 'closed' }
    await assert.rejects(ask(app, '/auth/session', { auth: closed }), closedly)
    await assert.rejects(closed.session(request), closedly)
    await assert.rejects(closed.accessToken(request), closedly)
    await assert.rejects(closed.fetch(request, 'https://api.example/'), closedly)
    await assert.rejects(closed.sessions({ subject: 'U1' }), closedly)
    await assert.rejects(closed.signOut({ subject: 'U1' }), closedly)
    await closed.close()
    assert.ok(await app.auth.session(request))
  })
})

describe('requests from elsewhere', () => {
  const OUT = '/auth/sign-out'
  const rows: [string, Record<string, string>, number][] = [
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
    ['a sibling host', { 'sec-fetch-site': 'same-site', origin: 'https://other.app.test' }, 403],
    ['a sibling host, in an old browser', { origin: 'https://other.app.test' }, 403],
    ['the same host over http', { origin: 'http://app.test' }, 403],
    ['the same host on another port', { origin: 'https://app.test:8443' }, 403],
    ['a page without origin', { origin: 'null' }, 403],
    [
      'a page of another site, in an old browser',
      { referer: 'https://evil.example/app.test' },
      403,
    ],
    ['nobody knows where', {}, 403],
    [
      'a lying Origin beside an honest Sec-Fetch-Site',
      { origin: 'https://app.test', 'sec-fetch-site': 'cross-site' },
      403,
    ],
    ['the address bar', { 'sec-fetch-site': 'none' }, 403],
    ['this origin', { 'sec-fetch-site': 'same-origin' }, 303],
    ['this origin, in an old browser', { origin: 'https://app.test' }, 303],
    ['a page of this origin, by referer', { referer: 'https://app.test/x' }, 303],
  ]
  for (const [title, headers, status] of rows) {
    it(`cannot sign out unless they come from a page of ours: ${title} is answered ${status} [COO-11, COO-13]`, async (t) => {
      const app = await start(t)
      const { cookie } = app.as(await app.signedIn()).headers
      const response = await ask(app, OUT, { method: 'POST', cookie, headers })
      assert.equal(response.status, status)
      const session = await app.auth.session({ headers: { cookie } })
      assert.equal(session === undefined, status === 303)
      if (status === 403) assert.deepEqual(response.headers.getSetCookie(), [])
    })
  }

  it('cannot sign out by a link, nor sign in by an answer that was not asked for [COO-11, SEC-2]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn()
    const from = 'https://evil.example/'
    await browser.get(`${app.origin}${OUT}`, { from })
    await browser.get(`${app.origin}/auth/signed-out?state=x`, { from })
    const page = await browser.get(`${app.origin}/auth/callback?code=c&state=s`, { from })
    assert.equal(page.status, 400)
    const forged = { code: 'c', state: 's' }
    assert.equal((await browser.post(`${app.origin}/auth/callback`, forged, { from })).status, 400)
    const logout = { logout_token: 'x.y.z' }
    assert.equal(
      (await browser.post(`${app.origin}/auth/backchannel-logout`, logout, { from })).status,
      400,
    )
    assert.ok(await app.auth.session(app.as(browser)))
  })
})
