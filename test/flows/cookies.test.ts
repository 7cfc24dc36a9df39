import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Application } from '../support/application.ts'
import {
  arriving,
  ask,
  assertNotStored,
  cookieHeader,
  cookiesIn,
  depart,
  sessionOf,
  start,
  type WrittenCookie,
} from '../support/requests.ts'

const POST = { method: 'POST', headers: { 'sec-fetch-site': 'same-origin' } }

/** Every cookie that is ever written: when it is set, and when it is dropped. */
async function life(
  app: Application,
): Promise<Record<'pendingSignIn' | 'session' | 'pendingSignOut', (WrittenCookie | undefined)[]>> {
  const { path, cookie, departed } = await arriving(app)
  const [pending] = cookiesIn(departed.response)
  const [pendingEnd, session] = cookiesIn(await ask(app, path, { cookie }))
  const ticket = cookieHeader(session ?? assert.fail())
  const out = await ask(app, '/auth/sign-out', { ...POST, cookie: ticket })
  const [sessionEnd, pendingOut] = cookiesIn(out)
  const state = new URL(out.headers.get('location') ?? '').searchParams.get('state')
  const back = await ask(app, `/auth/signed-out?state=${state}`, {
    cookie: cookieHeader(pendingOut ?? assert.fail()),
  })
  const [pendingOutEnd] = cookiesIn(back)
  return {
    pendingSignIn: [pending, pendingEnd],
    session: [session, sessionEnd],
    pendingSignOut: [pendingOut, pendingOutEnd],
  }
}

describe('the session cookie', () => {
  it('is for https, this very host and no script [COO-1, COO-2, COO-4, COO-5]', async (t) => {
    const app = await start(t)
    const [cookie] = (await life(app)).session
    assert.equal(cookie?.name, '__Host-coatcheck')
    assert.deepEqual(Object.fromEntries(cookie?.attributes ?? []), {
      'max-age': '43200',
      path: '/',
      httponly: '',
      samesite: 'Lax',
      secure: '',
    })
  })

  it('is Lax and never None, whatever way the provider answers [COO-3]', async (t) => {
    for (const responseMode of ['query', 'form_post'] as const) {
      const app = await start(t, { responseMode })
      const browser = await app.signedIn()
      const [ticket] = browser.cookies.filter(({ domain }) => domain === 'app.test')
      assert.equal(ticket?.sameSite, 'Lax')
    }
  })

  it('is a random ticket that says nothing and is kept nowhere else', async (t) => {
    const app = await start(t)
    const tickets = new Set<string>()
    for (let count = 0; count < 20; count++) {
      const [cookie] = (await life(app)).session
      assert.match(cookie?.value ?? '', /^[\w-]{43}$/)
      tickets.add(cookie?.value ?? '')
    }
    assert.equal(tickets.size, 20)
    const heard = JSON.stringify(app.events)
    for (const ticket of tickets) assert.equal(heard.includes(ticket), false)
  })

  it('lives as long as its session may', async (t) => {
    const app = await start(t, { session: { lifetimeSeconds: 100, idleSeconds: 50 } })
    const [cookie] = (await life(app)).session
    assert.equal(cookie?.attributes.get('max-age'), '100')
  })

  it('that was copied is worthless after the sign-out, wherever that came from [COO-7]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    const copy = app.as(browser)
    assert.ok(await app.another().session(copy))
    app.clock.forward(1000)
    assert.equal((await app.logout(await app.provider.logoutToken())).status, 200)
    for (const auth of [app.auth, app.another()]) {
      assert.equal(await auth.session(copy), undefined)
      await assert.rejects(auth.accessToken(copy), { code: 'sign_in_required' })
    }
  })

  it('that stands there twice is nobody’s, in any order and even if both are the same [COO-19]', async (t) => {
    const app = await start(t)
    const mine = app.as(await app.signedIn()).headers.cookie
    const planted = `__Host-coatcheck=${'A'.repeat(43)}`
    for (const cookie of [
      `${mine}; ${planted}`,
      `${planted}; ${mine}`,
      `${mine}; ${mine}`,
      `${mine}; __Host-coatcheck=`,
      `__Host-coatcheck=; ${mine}`,
      `${mine};__Host-coatcheck=x`,
    ]) {
      assert.equal(await sessionOf(app, cookie), undefined, cookie.replaceAll(/[\w-]{43}/g, '…'))
      await assert.rejects(app.auth.accessToken({ headers: { cookie } }), {
        code: 'sign_in_required',
      })
      const told = await (await ask(app, '/auth/session', { cookie })).json()
      assert.deepEqual(told, { authenticated: false })
    }
    assert.ok(await sessionOf(app, mine), 'the session itself is not hurt')
    // Two lines of `Cookie`, as Node hands them out, are one list.
    const lines = { headers: { cookie: [mine, planted] } }
    assert.equal(await app.auth.session(lines), undefined)
  })

  it('is found among the cookies of the application', async (t) => {
    const app = await start(t)
    const mine = app.as(await app.signedIn()).headers.cookie
    for (const cookie of [
      `a=b; ${mine}; c="d e"`,
      `theme=x;${mine};`,
      `; ;=x; novalue; ${mine}`,
      `x__Host-coatcheck=1; ${mine}; __Host-coatcheckx=2; __host-coatcheck=3`,
      `${'junk=x; '.repeat(2000)}${mine}`,
    ]) {
      assert.ok(await sessionOf(app, cookie), cookie.slice(0, 20))
    }
  })

  it('that was cut, grew or is another kind of text is nobody’s, and signing in mends it [COO-16]', async (t) => {
    const app = await start(t)
    const mine = app.as(await app.signedIn()).headers.cookie
    const ticket = mine.split('=')[1] ?? assert.fail()
    for (const value of [
      '',
      ticket.slice(0, -1),
      ticket.slice(1),
      `${ticket}A`,
      `${ticket} `.padEnd(60, 'x'),
      `"${ticket}"`,
      encodeURIComponent(`${ticket}=`),
      ticket.toLowerCase(),
      `${ticket.slice(0, -1)}!`,
      '\u00e9'.repeat(43),
      '__proto__',
      'x'.repeat(100_000),
    ]) {
      const cookie = `__Host-coatcheck=${value}`
      assert.equal(await sessionOf(app, cookie), undefined)
      // No redirect to anywhere, so no loop; a new sign-in gives a good one.
      assert.equal((await ask(app, '/auth/session', { cookie: 'x=y' })).status, 200)
      if (value.length > 1000 || /[^\x20-\x7e]/.test(value)) continue
      const { path, cookie: both } = await arriving(app, '', { cookie })
      const given = cookiesIn(await ask(app, path, { cookie: both })).at(-1)
      assert.ok(await sessionOf(app, cookieHeader(given ?? assert.fail())))
    }
  })
})

describe('the cookies between leaving and coming back', () => {
  it('are sealed, for this host and no script, and end after ten minutes', async (t) => {
    const app = await start(t)
    const { pendingSignIn, pendingSignOut } = await life(app)
    assert.match(pendingSignIn[0]?.name ?? '', /^__Host-coatcheck\.in\.[0-9a-z]+\.[\w-]{12}$/)
    assert.equal(pendingSignOut[0]?.name, '__Host-coatcheck.out')
    for (const [cookie] of [pendingSignIn, pendingSignOut]) {
      assert.deepEqual(Object.fromEntries(cookie?.attributes ?? []), {
        'max-age': '600',
        path: '/',
        httponly: '',
        samesite: 'Lax',
        secure: '',
      })
    }
  })

  it('that were changed anywhere are unknown, never an accident [COO-6]', async (t) => {
    const app = await start(t)
    const { path, cookie } = await arriving(app)
    const [name = '', value = ''] = cookie.split('=')
    const sealed = Buffer.from(value, 'base64url')
    for (let at = 0; at < sealed.length; at += 7) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      const response = await ask(app, path, { cookie: `${name}=${changed.toString('base64url')}` })
      assert.equal(response.status, 400, `byte ${at}`)
    }
    for (const length of [0, 1, 18, 19, 34, 35, sealed.length - 1]) {
      const cut = sealed.subarray(0, length).toString('base64url')
      assert.equal((await ask(app, path, { cookie: `${name}=${cut}` })).status, 400)
    }
    assert.equal(app.provider.count('token'), 0)
    assert.equal((await ask(app, path, { cookie })).status, 303)
  })

  it('do not open under another name, or in place of one another [COO-6]', async (t) => {
    const app = await start(t)
    const [one, two] = [await arriving(app), await arriving(app)]
    const [name1 = '', value1 = ''] = one.cookie.split('=')
    const [name2 = '', value2 = ''] = two.cookie.split('=')
    for (const cookie of [
      `${name1}=${value2}`,
      `${name2}=${value1}`,
      `__Host-coatcheck=${value1}`,
      `__Host-coatcheck.out=${value1}`,
      `${name1.replace(/\.\w+\./, '.zzzzzz.')}=${value1}`,
    ]) {
      assert.equal((await ask(app, one.path, { cookie })).status, 400)
      assert.equal(await sessionOf(app, cookie), undefined)
    }
    const { pendingSignOut, session } = await life(app)
    const [out] = pendingSignOut
    const swapped = `${name1}=${out?.value}; __Host-coatcheck.out=${session[0]?.value}`
    assert.equal((await ask(app, one.path, { cookie: swapped })).status, 400)
    assert.equal((await ask(app, '/auth/signed-out?state=x', { cookie: swapped })).status, 200)
    assert.equal((await ask(app, one.path, { cookie: one.cookie })).status, 303)
  })

  it('of a sign-out that were changed, cut, late or doubled lead to the page and nowhere else', async (t) => {
    const app = await start(t)
    const ticket = app.as(await app.signedIn()).headers.cookie
    const how = {
      ...POST,
      cookie: ticket,
      body: new URLSearchParams({ return_to: '/bye' }),
    }
    const out = await ask(app, '/auth/sign-out', how)
    const kept = cookiesIn(out).find(({ value }) => value !== '') ?? assert.fail()
    const state = new URL(out.headers.get('location') ?? '').searchParams.get('state')
    const at = (cookie: string): Promise<Response> =>
      ask(app, `/auth/signed-out?state=${state}`, { cookie })
    for (const value of ['', 'x', kept.value.slice(0, -4), `B${kept.value.slice(1)}`]) {
      const response = await at(`${kept.name}=${value}`)
      assert.equal(response.status, 200)
      assert.deepEqual(response.headers.getSetCookie(), [])
    }
    assert.equal((await at('')).status, 200)
    assert.equal((await at(cookieHeader(kept))).headers.get('location'), 'https://app.test/bye')
    app.clock.forward(600_000)
    assert.equal((await at(cookieHeader(kept))).status, 200)
  })
})

describe('dropping a cookie', () => {
  const places = [
    ['https', 'https://app.test'],
    ['plain http on loopback', 'http://localhost:3000'],
  ] as const
  for (const [place, origin] of places) {
    for (const responseMode of ['query', 'form_post'] as const) {
      it(`names it as it was set, on ${place}, with ${responseMode} [COO-17]`, async (t) => {
        const app = await start(t, { origin, responseMode })
        for (const [kind, [set, dropped]] of Object.entries(await life(app))) {
          assert.ok(set, kind)
          const expected = new Map(set.attributes).set('max-age', '0')
          assert.equal(dropped?.name, set.name, kind)
          assert.equal(dropped?.value, '', kind)
          assert.deepEqual(dropped?.attributes, expected, kind)
        }
      })
    }
  }
})

describe('on plain http on loopback', () => {
  it('cookies are not Secure, and those of two ports are told apart [COO-1, COO-5]', async (t) => {
    const one = await start(t, { origin: 'http://localhost:3000' })
    const two = await start(t, { origin: 'http://localhost:3001' })
    const jar = `${one.as(await one.signedIn()).headers.cookie}; ${two.as(await two.signedIn()).headers.cookie}`
    assert.match(jar, /^coatcheck-3000=[\w-]{43}; coatcheck-3001=[\w-]{43}$/)
    assert.ok(await sessionOf(one, jar))
    assert.ok(await sessionOf(two, jar))
    const [cookie] = (await life(one)).session
    assert.equal(cookie?.attributes.has('secure'), false)
    assert.equal(cookie?.attributes.has('domain'), false)
    assert.equal(cookie?.attributes.get('samesite'), 'Lax')
    assert.ok(cookie?.attributes.has('httponly'))
    const standard = await start(t, { origin: 'http://localhost' })
    assert.equal((await life(standard)).session[0]?.name, 'coatcheck')
  })

  it('a posted answer still needs None and Secure, which browsers allow there', async (t) => {
    const app = await start(t, { origin: 'http://localhost:3000', responseMode: 'form_post' })
    const [cookie] = cookiesIn((await depart(app)).response)
    assert.equal(cookie?.attributes.get('samesite'), 'None')
    assert.ok(cookie?.attributes.has('secure'))
    assert.ok(await app.auth.session(app.as(await app.signedIn())))
  })
})

it('writes cookies at sign-in, callback and sign-out only, and lets nothing be cached [COO-18]', async (t) => {
  const app = await start(t)
  const cookie = app.as(await app.signedIn()).headers.cookie
  const silent = [
    '/auth/session',
    '/auth/sign-out',
    '/auth/signed-out',
    '/auth/frontchannel-logout',
  ]
  for (const path of silent) {
    const response = await ask(app, path, { cookie })
    assert.equal(response.status, 200, path)
    assert.deepEqual(response.headers.getSetCookie(), [], path)
    assertNotStored(response)
  }
  assertNotStored(await ask(app, '/auth/backchannel-logout', { ...POST, cookie }))
  for (const path of ['/auth/sign-in', '/auth/callback']) assertNotStored(await ask(app, path))
})
