import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StoredRecord, TokenStore } from '#coatcheck'
import { memoryStore } from '#coatcheck/stores/memory'
import { settle, startClock } from '../support/application.ts'
import {
  arriving,
  ask,
  cookieHeader,
  cookiesIn,
  eventually,
  failures,
  sessionOf,
  start,
} from '../support/requests.ts'

describe('the session a sign-in begins', () => {
  it('has a ticket of its own, whatever the browser brought along [INV-13]', async (t) => {
    const app = await start(t)
    const chosen = `__Host-coatcheck=${'A'.repeat(43)}`
    const { path, cookie } = await arriving(app, '', { cookie: chosen })
    const response = await ask(app, path, { cookie })
    const given = cookieHeader(...cookiesIn(response))
    assert.ok(await sessionOf(app, given))
    assert.equal(await sessionOf(app, chosen), undefined)
    assert.doesNotMatch(given, /A{43}/)
  })

  it('replaces the one the browser had, with its tokens, and no other [INV-13]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    const elsewhere = await app.signedIn({ sub: 'U1', sid: 'S9' })
    const old = app.as(browser)
    const token = await app.auth.accessToken(old)
    app.provider.users.set('U2', { sub: 'U2', sid: 'S2' })
    await browser.get(`${app.origin}/auth/sign-in?login_hint=U2`)
    assert.equal((await app.auth.session(app.as(browser)))?.subject, 'U2')
    assert.equal(await app.auth.session(old), undefined)
    await assert.rejects(app.auth.accessToken(old), { code: 'sign_in_required' })
    assert.deepEqual(
      (await app.auth.sessions({ subject: 'U1' })).map(({ sid }) => sid),
      ['S9'],
    )
    assert.ok(await app.auth.session(app.as(elsewhere)))
    assert.deepEqual(
      app.heard('signed_out').map(({ receipt }) => [receipt.cause, receipt.removed]),
      [['replaced', 1]],
    )
    // Another user's grant: what it held is revoked.
    await eventually(() => app.provider.introspect(token.value) === undefined, 'revoked')
  })

  it('replaces one that began in another tab meanwhile [INV-13]', async (t) => {
    const app = await start(t)
    const [first, second] = [await arriving(app), await arriving(app)]
    const one = cookieHeader(...cookiesIn(await ask(app, first.path, { cookie: first.cookie })))
    const cookie = `${second.cookie}; ${one}`
    const two = cookieHeader(...cookiesIn(await ask(app, second.path, { cookie })))
    assert.equal(await sessionOf(app, one), undefined)
    assert.ok(await sessionOf(app, two))
  })

  it('replaces the one from before also where the provider posts its answer across sites [INV-13]', async (t) => {
    const app = await start(t, { responseMode: 'form_post' })
    const browser = await app.signedIn()
    const old = app.as(browser)
    await browser.get(`${app.origin}/auth/sign-in`)
    assert.equal(await app.auth.session(old), undefined)
    assert.ok(await app.auth.session(app.as(browser)))
  })

  it('for the same user at the provider keeps what the grant has, since revoking would end both [INV-13]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    await browser.get(`${app.origin}/auth/sign-in`)
    await settle()
    assert.equal(app.provider.revoked.length, 0)
    assert.ok((await app.auth.accessToken(app.as(browser), { forceRefresh: true })).value)
  })

  it('survives a failed attempt to sign in again [INV-13]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn()
    app.provider.next('id_token', ({ claims }) => {
      claims.nonce = 'x'
    })
    const page = await browser.get(`${app.origin}/auth/sign-in`)
    assert.equal(page.status, 400)
    assert.ok(await app.auth.session(app.as(browser)))
  })

  it('is found by its session and its user at the provider before any cookie for it is sent [COR-23]', async (t) => {
    const clock = startClock()
    const inner = memoryStore({ now: clock.now })
    const inserted: StoredRecord[] = []
    let fails = false
    const store: TokenStore = {
      ...inner,
      async insert(id, record) {
        if (!id.startsWith('s.')) return inner.insert(id, record)
        if (fails) throw new Error('no power')
        inserted.push(record)
        return inner.insert(id, record)
      },
    }
    const app = await start(t, { store, given: { clock } })
    app.provider.user = { sub: 'U1', sid: 'S1' }
    const { path, cookie } = await arriving(app)
    fails = true
    const failed = await ask(app, path, { cookie })
    assert.equal(failed.status, 503)
    assert.ok(cookiesIn(failed).every(({ value }) => value === ''))
    fails = false
    const again = await arriving(app)
    await ask(app, again.path, { cookie: again.cookie })
    // One step writes the record together with what finds it: user, provider session, sign-in.
    assert.equal(inserted.length, 1)
    assert.equal(new Set(inserted[0]?.indexes).size, 3)
    const [found] = await app.auth.sessions({ subject: 'U1' })
    assert.equal(found?.issuer, app.provider.issuer)
    assert.equal(found?.sid, 'S1')
    assert.equal((await app.auth.signOut({ sid: 'S1' })).removed, 1)
  })

  it('remembers the ID token itself, for the provider to know which session a sign-out means [COR-23]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn()
    const page = await browser.post(`${app.origin}/auth/sign-out`, {}, { follow: false })
    const hint = new URL(page.headers.get('location') ?? '').searchParams.get('id_token_hint')
    const issued = app.provider.issued.filter(({ kind }) => kind === 'id_token')
    assert.equal(hint, issued[0]?.value)
  })

  it('ends by any sid its ID tokens ever had [COR-25]', async (t) => {
    for (const sid of ['S1', 'S1b']) {
      const app = await start(t)
      const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
      app.provider.next('id_token', ({ claims }) => {
        claims.sid = 'S1b'
      })
      await app.auth.accessToken(app.as(browser), { forceRefresh: true })
      assert.equal((await app.auth.session(app.as(browser)))?.sid, 'S1b')
      app.clock.forward(1000)
      const token = await app.provider.logoutToken({ claims: { sid, sub: undefined } })
      assert.equal((await app.logout(token)).status, 200)
      assert.equal(await app.auth.session(app.as(browser)), undefined, sid)
      assert.equal((await app.auth.sessions({ subject: 'U1' })).length, 0)
    }
  })
})

const NAMES = [
  `a b/=&#%"'<>|~`,
  'S1',
  'S1 ',
  ' S1',
  's1',
  '*',
  '?',
  '[a-z]',
  '{S1}',
  'S1\r\nSET x y',
  'S1\u0000',
  'S1\u0000\u0000',
  '__proto__',
  'constructor',
  'a|b',
  'a|b|',
  '7:S1',
  '../S1',
  'Ｕ1',
  'é',
  'e\u0301',
  'x'.repeat(255),
  'x'.repeat(254),
]

describe('names that the provider gives', () => {
  it('may be any text, end exactly the session they name, and never another [COR-24, SEC-13, IDT-10]', async (t) => {
    const app = await start(t)
    const browsers = new Map<string, Awaited<ReturnType<typeof app.signedIn>>>()
    for (const name of NAMES) {
      const user = { sub: name, sid: name, claims: { name: 'X' } }
      browsers.set(name, await app.signedIn(user))
    }
    app.clock.forward(1000)
    assert.deepEqual(failures(app), [])
    for (const [place, name] of NAMES.entries()) {
      const [one, ...more] = await app.auth.sessions({ subject: name })
      assert.equal(more.length, 0)
      assert.equal(one?.subject, name)
      assert.equal(one?.sid, name)
      const parts = { session: { sub: name, sid: name } }
      assert.equal((await app.logout(await app.provider.logoutToken(parts))).status, 200)
      for (const [at, other] of NAMES.entries()) {
        const browser = browsers.get(other) ?? assert.fail()
        const session = await app.auth.session(app.as(browser))
        assert.equal(session === undefined, at <= place, JSON.stringify([name, other]))
      }
    }
  })
})
