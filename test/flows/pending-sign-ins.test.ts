import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryStore } from '#coatcheck/stores/memory'
import type { Page } from '#coatcheck/testing/browser'
import { KEY, startClock } from '../support/application.ts'
import {
  arriving,
  ask,
  cookieHeader,
  cookiesIn,
  depart,
  eventually,
  failures,
  permitted,
  start,
} from '../support/requests.ts'

const OURS = /^__Host-coatcheck\.in\./

describe('sign-ins that nobody finishes', () => {
  const kinds: [string, Record<string, string>][] = [
    ['', {}],
    [', with long ways back', { return_to: `/${'x'.repeat(1000)}` }],
    [
      ', with all that can be asked',
      { return_to: `/${'x'.repeat(1000)}`, acr_values: 'y'.repeat(512) },
    ],
  ]
  for (const [title, query] of kinds) {
    for (const [pace, pause] of [
      ['one a second', 1000],
      ['all in the same moment', 0],
    ] as const) {
      it(`two hundred of them, ${pace}${title}, leave room, and the next one works [COO-15]`, async (t) => {
        const app = await start(t)
        const browser = app.browser()
        const search = new URLSearchParams(query)
        for (let count = 0; count < 200; count++) {
          await browser.get(`${app.origin}/auth/sign-in?${search}`, { follow: false })
          app.clock.forward(pause)
          const kept = browser.cookies.filter(({ name }) => OURS.test(name))
          assert.ok(kept.length <= 5, `${kept.length} cookies`)
          const size = cookieHeader(...kept).length
          assert.ok(size <= 4096, `${size} bytes`)
          for (const { name, value } of kept) assert.ok(name.length + value.length < 4000)
        }
        assert.ok(browser.cookieHeader(app.origin).length < 8192)
        const page = await browser.get(`${app.origin}/auth/sign-in?return_to=/home`)
        assert.equal(page.url.pathname, '/home')
        assert.ok(await app.auth.session(app.as(browser)))
      })
    }
  }

  it('make room oldest first: the newest five can still be finished [COO-15]', async (t) => {
    const app = await start(t)
    const browser = app.browser()
    const tabs: Page[] = []
    for (let count = 0; count < 7; count++) {
      const url = `${app.origin}/auth/sign-in?return_to=/${count}`
      tabs.push(await browser.get(url, { follow: false }))
      app.clock.forward(1000)
    }
    const ends: string[] = []
    for (const tab of tabs) {
      const callback = await browser.follow((await browser.follow(tab)) ?? assert.fail())
      ends.push(callback?.headers.get('location') ?? String(callback?.status))
    }
    const paths = [2, 3, 4, 5, 6].map((place) => `https://app.test/${place}`)
    assert.deepEqual(ends, ['400', '400', ...paths])
    assert.deepEqual(failures(app), ['sign_in_unknown', 'sign_in_unknown'])
  })

  it('leave nothing in the store', async (t) => {
    const app = await start(t)
    let written = 0
    const store = {
      ...app.store,
      insert: (...args: Parameters<typeof app.store.insert>) => {
        written++
        return app.store.insert(...args)
      },
    }
    const auth = app.another({ store })
    for (let count = 0; count < 50; count++) await depart(app, '', { auth })
    // The keyring, at most.
    assert.ok(written <= 1, `${written} records`)
  })

  it('are over after ten minutes for the browser too [COO-15]', async (t) => {
    const app = await start(t)
    const browser = app.browser()
    await browser.get(`${app.origin}/auth/sign-in`, { follow: false })
    app.clock.forward(599_999)
    assert.equal(browser.cookies.length, 1)
    app.clock.forward(1)
    assert.equal(browser.cookies.length, 0)
  })
})

describe('cookies that only look like pending sign-ins', () => {
  it('do not keep a sign-in from ending well, a thousand of them [COO-15]', async (t) => {
    const app = await start(t)
    const junk = Array.from({ length: 1000 }, (_, at) => ({
      name: `__Host-coatcheck.in.zz${at}.${'A'.repeat(12)}`,
      value: 'x',
    }))
    const departed = await depart(app, '', { cookie: cookieHeader(...junk) })
    // All but the few newest are dropped.
    const dropped = cookiesIn(departed.response).filter(({ value }) => value === '')
    assert.ok(dropped.length >= 995)
    const { pathname, search } = await permitted(app, departed)
    const cookie = `${cookieHeader(...junk)}; ${departed.cookie}`
    assert.equal((await ask(app, pathname + search, { cookie })).status, 303)
  })

  it('with the very ending of a true one are passed over', async (t) => {
    const app = await start(t)
    const { path, cookie } = await arriving(app)
    const [name = ''] = cookie.split('=')
    const planted = name.replace(/\.in\.\w+\./, '.in.000000.')
    for (const header of [`${planted}=x; ${cookie}`, `${name}=x; ${cookie}`]) {
      const again = header === `${planted}=x; ${cookie}`
      const { status } = await ask(app, path, { cookie: header })
      assert.equal(status, again ? 303 : 400)
    }
    assert.deepEqual(failures(app), ['sign_in_repeated'])
  })
})

describe('a sign-in under way', () => {
  it('ends well in another process than it began in', async (t) => {
    const app = await start(t)
    const other = app.another()
    const { path, cookie } = await arriving(app)
    assert.equal((await ask(app, path, { cookie, auth: other })).status, 303)
  })

  it('ends well while a new key is taken into use', async (t) => {
    const app = await start(t)
    const { path, cookie } = await arriving(app)
    const rotated = app.another({ keys: [`${KEY}, the next one`, KEY] })
    assert.equal((await ask(app, path, { cookie, auth: rotated })).status, 303)
  })

  it('is refused by a sign-out that came later, however long the store took to tell it the time', async (t) => {
    const clock = startClock()
    const kept = memoryStore({ now: clock.now })
    let onItsWay = 0
    const now = async (): Promise<number> => {
      const told = await kept.now()
      clock.forward(onItsWay)
      return told
    }
    const app = await start(t, { store: { ...kept, now }, given: { clock } })
    const { path, cookie } = await arriving(app)
    clock.forward(10)
    onItsWay = 50
    await app.auth.signOut({ subject: 'U1' })
    assert.equal((await ask(app, path, { cookie })).status, 400)
    assert.deepEqual(failures(app), ['signed_out_meanwhile'])
  })

  it('is forgotten by a sign-out in another tab, which no callback survives', async (t) => {
    const app = await start(t)
    const browser = app.browser()
    const tab = await browser.get(`${app.origin}/auth/sign-in`, { follow: false })
    const back = await browser.follow(tab)
    const copied = browser.cookieHeader(app.origin)
    await browser.post(`${app.origin}/auth/sign-out`, {}, { follow: false })
    assert.equal(
      browser.cookies.some(({ name }) => OURS.test(name)),
      false,
    )
    const callback = new URL(back?.headers.get('location') ?? '')
    const response = await ask(app, callback.pathname + callback.search, { cookie: copied })
    assert.equal(response.status, 400)
    assert.deepEqual(failures(app), ['signed_out_meanwhile'])
    assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
    await eventually(() => app.provider.liveRefreshTokens().length === 0, 'revoked')
  })
})
