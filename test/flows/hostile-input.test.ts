import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Ask,
  arriving,
  ask,
  assertNotStored,
  assertSignInWorks,
  cookiesIn,
  failures,
  start,
} from '../support/requests.ts'

const MIB = 'x'.repeat(1024 * 1024)
const FORM = {
  'content-type': 'application/x-www-form-urlencoded',
  'sec-fetch-site': 'same-origin',
}
const post = (body: BodyInit, cookie?: string): Ask => ({
  method: 'POST',
  headers: FORM,
  body,
  ...(cookie === undefined ? {} : { cookie }),
})

describe('a parameter that comes twice', () => {
  for (const name of ['return_to', 'prompt', 'max_age', 'acr_values', 'login_hint', 'ui_locales']) {
    it(`to the sign-in is refused: ${name}`, async (t) => {
      const app = await start(t)
      for (const twice of [`${name}=/a&${name}=/b`, `${name}=/a&${name}=/a`, `${name}&${name}=`]) {
        const response = await ask(app, `/auth/sign-in?${twice}`)
        assert.equal(response.status, 400)
        assert.deepEqual(response.headers.getSetCookie(), [])
        assertNotStored(response)
      }
      assert.deepEqual(failures(app), Array(3).fill('request_invalid'))
      await assertSignInWorks(app)
    })
  }

  it('to the callback is refused where it is the state, and the sign-in can still end well', async (t) => {
    const app = await start(t)
    const { path, cookie } = await arriving(app)
    const state = new URL(path, app.origin).searchParams.get('state')
    for (const other of [state, 'x', '']) {
      const response = await ask(app, `${path}&state=${other}`, { cookie })
      assert.equal(response.status, 400)
      assert.deepEqual(cookiesIn(response), [])
    }
    assert.deepEqual(failures(app), Array(3).fill('request_invalid'))
    assert.equal((await ask(app, path, { cookie })).status, 303)
  })

  for (const name of ['code', 'iss', 'error', 'response']) {
    it(`to the callback is refused, and no code is sent: ${name}`, async (t) => {
      const app = await start(t)
      for (const form of [false, true]) {
        const { path, cookie } = await arriving(app)
        const twice = `${path}&${name}=x&${name}=y`
        const [address = '', query = ''] = twice.split('?')
        const response = await (form
          ? ask(app, address, post(query, cookie))
          : ask(app, twice, { cookie }))
        assert.equal(response.status, 400)
      }
      assert.deepEqual(failures(app), Array(2).fill('request_invalid'))
      assert.equal(app.provider.count('token'), 0)
      await assertSignInWorks(app)
    })
  }

  it('to the sign-out is refused, and the user stays signed in', async (t) => {
    const app = await start(t)
    const { cookie } = app.as(await app.signedIn()).headers
    for (const name of ['return_to', 'logout_hint', 'ui_locales']) {
      const response = await ask(app, '/auth/sign-out', post(`${name}=a&${name}=b`, cookie))
      assert.equal(response.status, 400)
      assert.deepEqual(response.headers.getSetCookie(), [])
    }
    assert.ok(await app.auth.session({ headers: { cookie } }))
    assert.equal((await ask(app, '/auth/sign-out', post('', cookie))).status, 303)
  })

  it('to any route is nobody’s business where the route does not know it', async (t) => {
    const app = await start(t)
    const { path, cookie } = await arriving(app, 'x=1&x=2&x[]=3&__proto__=4&__proto__=5')
    assert.equal((await ask(app, `${path}&x=1&x=2&__proto__=3`, { cookie })).status, 303)
    for (const route of ['session', 'signed-out', 'frontchannel-logout', 'sign-out']) {
      assert.equal((await ask(app, `/auth/${route}?x=1&x=2&state=a&state=b`)).status, 200)
    }
    assert.equal(({} as Record<string, unknown>)['4'], undefined)
  })
})

describe('a megabyte', () => {
  const rows: [string, number][] = [
    ['/auth/sign-in?return_to=/', 303],
    ['/auth/sign-in?unknown=', 303],
    ['/auth/sign-in?login_hint=', 400],
    ['/auth/sign-in?prompt=', 400],
    ['/auth/sign-in?acr_values=', 400],
    ['/auth/sign-in?ui_locales=', 400],
    ['/auth/sign-in?max_age=', 400],
    ['/auth/callback?state=', 400],
    ['/auth/callback?code=', 400],
    ['/auth/signed-out?state=', 200],
    ['/auth/frontchannel-logout?iss=https://op.test&sid=', 200],
    ['/auth/frontchannel-logout?sid=', 200],
    ['/auth/session?x=', 200],
    ['/auth/sign-out?x=', 200],
  ]
  for (const [path, status] of rows) {
    it(`behind ${path} is answered ${status} and changes nothing`, async (t) => {
      const app = await start(t)
      const { cookie } = app.as(await app.signedIn()).headers
      const response = await ask(app, path + MIB, { cookie })
      assert.equal(response.status, status)
      assertNotStored(response)
      assert.ok((await response.text()).length < 10_000)
      for (const line of response.headers.getSetCookie()) assert.ok(line.length < 4096)
      assert.ok(await app.auth.session({ headers: { cookie } }))
      await assertSignInWorks(app)
    })
  }

  it('of a code is for the provider to refuse, and the next sign-in works', async (t) => {
    const app = await start(t)
    const { path, cookie } = await arriving(app)
    const url = new URL(path, app.origin)
    url.searchParams.set('code', MIB)
    const response = await ask(app, url.href, { cookie })
    assert.equal(response.status, 502)
    assert.deepEqual(failures(app), ['provider_refused'])
    await assertSignInWorks(app)
  })

  for (const route of ['callback', 'sign-out', 'backchannel-logout']) {
    it(`of a form to ${route} is answered 413, not read to its end, and signs nobody out`, async (t) => {
      const app = await start(t)
      const { cookie } = app.as(await app.signedIn()).headers
      assert.equal((await ask(app, `/auth/${route}`, post(`x=${MIB}`, cookie))).status, 413)
      let pulled = 0
      const endless = new ReadableStream({
        pull(controller) {
          pulled++
          controller.enqueue(Buffer.alloc(16 * 1024, 'x='))
        },
      })
      const request = new Request(`${app.origin}/auth/${route}`, {
        method: 'POST',
        headers: { ...FORM, cookie },
        body: endless,
        duplex: 'half',
      } as RequestInit)
      const response = await app.auth.handle(request)
      assert.equal(response.status, 413)
      assertNotStored(response)
      assert.ok(pulled <= 8, `${pulled} pieces were read`)
      assert.ok(await app.auth.session({ headers: { cookie } }))
      await assertSignInWorks(app)
    })
  }

  it('of cookies is looked through, and nothing is found', async (t) => {
    const app = await start(t)
    for (const cookie of [
      MIB,
      'a=b; '.repeat(200_000),
      '__Host-coatcheck=; '.repeat(50_000),
      '__Host-coatcheck.in.; '.repeat(50_000),
      ';'.repeat(1_000_000),
      '='.repeat(1_000_000),
    ]) {
      assert.equal(await app.auth.session({ headers: { cookie } }), undefined)
      assert.equal((await ask(app, '/auth/callback?state=x', { cookie })).status, 400)
    }
    await assertSignInWorks(app)
  })
})

describe('thousands of parameters', () => {
  const many = Array.from({ length: 20_000 }, (_, at) => `p${at}=${at}`).join('&')
  const same = 'state=x&'.repeat(5000)

  it('are passed over on every route, and not sent on', async (t) => {
    const app = await start(t)
    const { cookie } = app.as(await app.signedIn()).headers
    const away = await ask(app, `/auth/sign-in?${many}`)
    assert.equal(away.status, 303)
    assert.ok((away.headers.get('location') ?? '').length < 1000)
    for (const route of ['session', 'signed-out', 'frontchannel-logout', 'sign-out']) {
      assert.equal((await ask(app, `/auth/${route}?${many}`, { cookie })).status, 200, route)
      assert.equal((await ask(app, `/auth/${route}?${same}`, { cookie })).status, 200, route)
    }
    assert.equal((await ask(app, `/auth/callback?${many}`)).status, 400)
    assert.equal((await ask(app, `/auth/callback?${same}`)).status, 400)
    const { path, cookie: pending } = await arriving(app)
    assert.equal((await ask(app, `${path}&${many}`, { cookie: pending })).status, 303)
    assert.ok(await app.auth.session({ headers: { cookie } }))
  })

  it('in a form of allowed size are passed over too', async (t) => {
    const app = await start(t)
    const { cookie } = app.as(await app.signedIn()).headers
    const fields = `${'a&'.repeat(25_000)}logout_token=x.y.z`
    assert.equal((await ask(app, '/auth/backchannel-logout', post(fields))).status, 400)
    assert.equal((await ask(app, '/auth/callback', post('a&'.repeat(30_000)))).status, 400)
    const out = await ask(app, '/auth/sign-out', post('a[b][c]=&'.repeat(5000), cookie))
    assert.equal(out.status, 303)
  })
})

describe('text that is no text', () => {
  const broken = [
    '%',
    '%%',
    '%zz',
    '%c0%80',
    '%ff%fe',
    '%ed%a0%80',
    '%00',
    '+',
    '\ud800',
    '%u0041',
    '&&&===',
    '=',
    '%0d%0aset-cookie:a=b',
    '[',
    '{"a":[[[[',
    '\u202e',
  ]
  for (const text of broken) {
    it(`is survived by every route: ${JSON.stringify(text)}`, async (t) => {
      const app = await start(t)
      const { cookie } = app.as(await app.signedIn()).headers
      for (const name of ['return_to', 'login_hint', 'state', 'code', 'iss', 'sid', '']) {
        const query = name === '' ? text : `${name}=${text}`
        for (const [route, statuses] of [
          ['sign-in', [303]],
          ['callback', [400]],
          ['signed-out', [200]],
          ['frontchannel-logout', [200]],
          ['session', [200]],
        ] as const) {
          const response = await ask(app, `/auth/${route}?${query}`, { cookie })
          assert.ok(
            statuses.some((status) => status === response.status),
            `${route} ${name}`,
          )
          assert.equal(response.headers.has('a'), false)
        }
      }
      assert.equal((await ask(app, '/auth/callback', post(text))).status, 400)
      assert.equal((await ask(app, '/auth/backchannel-logout', post(text))).status, 400)
      assert.equal((await ask(app, '/auth/sign-out', post(text))).status, 303)
      assert.ok(await app.auth.session({ headers: { cookie } }))
    })
  }

  it('that cannot be sent on is not sent on: control characters in a hint', async (t) => {
    const app = await start(t)
    const hint = 'a\r\nb\u0000c&client_id=C9#x'
    const response = await ask(app, `/auth/sign-in?${new URLSearchParams({ login_hint: hint })}`)
    const sent = new URL(response.headers.get('location') ?? '').searchParams
    assert.equal(sent.get('login_hint'), hint)
    assert.deepEqual(sent.getAll('client_id'), ['app'])
    assert.doesNotMatch(response.headers.get('location') ?? '', /[\r\n\0#]/)
  })
})

describe('a client that leaves in the middle of its form', () => {
  for (const route of ['callback', 'sign-out', 'backchannel-logout']) {
    it(`changes nothing at ${route}`, async (t) => {
      const app = await start(t)
      const { cookie } = app.as(await app.signedIn()).headers
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(Buffer.from('logout_to'))
          controller.error(new Error('connection reset'))
        },
      })
      const init = { method: 'POST', headers: { ...FORM, cookie }, body, duplex: 'half' }
      const request = new Request(`${app.origin}/auth/${route}`, init as RequestInit)
      const response = await app.auth.handle(request)
      assert.equal(response.status, 400)
      assert.ok(await app.auth.session({ headers: { cookie } }))
      await assertSignInWorks(app)
    })
  }
})
