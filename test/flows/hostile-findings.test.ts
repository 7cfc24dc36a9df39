// What a hostile tester found once; each title says what must never happen again.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { TokenStore } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { memoryStore } from '#coatcheck/stores/memory'
import { settle, startApplication, startClock, startTestProvider } from '../support/application.ts'

it('does not serve a session of another provider or client that shares the store, nor send it their tokens', async (t) => {
  const clock = startClock()
  const a = await startApplication({ given: { clock } })
  t.after(a.close)
  const b = await startApplication({
    store: a.store,
    given: { clock, provider: await startTestProvider(clock) },
  })
  t.after(b.close)
  a.provider.register({
    client_id: 'second',
    client_secret: 'secret-of-the-second',
    origin: a.origin,
  })
  const second = a.another({
    provider: {
      issuer: a.provider.issuer,
      clientId: 'second',
      clientSecret: 'secret-of-the-second',
    },
  })
  const request = a.as(await a.signedIn({ sub: 'admin', sid: 'S1' }))
  clock.forward(1000)
  for (const foreign of [b.auth, second]) {
    assert.equal(await foreign.session(request), undefined)
    await assert.rejects(foreign.accessToken(request, { forceRefresh: true }), {
      code: 'sign_in_required',
    })
    assert.equal((await foreign.signOut({ subject: 'admin' })).removed, 0)
    assert.equal((await foreign.signOut({ sid: 'S1' })).removed, 0)
    assert.deepEqual(await foreign.sessions({ subject: 'admin' }), [])
  }
  assert.equal(b.provider.count('token'), 0)
  assert.ok(await a.auth.session(request))
  await a.logout(await a.provider.logoutToken())
  await a.provider.received('revocation', 2)
  await settle()
  assert.equal(b.provider.count('revocation'), 0)
  assert.deepEqual(a.provider.liveRefreshTokens(), [])
})

it('ends a sign-in under way with the sign-out of its browser, although its answer was loaded twice', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = app.browser()
  const start = await browser.get(`${app.origin}/auth/sign-in`, { follow: false })
  const authorized = await browser.follow(start)
  assert.ok(authorized)
  const callback = authorized.headers.get('location') ?? ''
  const hold = app.provider.hold('token')
  const first = browser.get(callback)
  await hold.received()
  assert.equal((await browser.get(callback)).status, 400)
  await browser.post(`${app.origin}/auth/sign-out`, {}, { follow: false })
  hold.release()
  assert.equal((await first).status, 400)
  assert.equal(await app.auth.session(app.as(browser)), undefined)
})

it('ends the sign-ins of all tabs with the sign-out of their browser, however many there are', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn()
  const starts = []
  for (let tab = 0; tab < 12; tab += 1) {
    starts.push(await browser.get(`${app.origin}/auth/sign-in`, { follow: false }))
  }
  // The last tab keeps a cookie; its answer is on its way when the user signs out.
  const last = await browser.follow(starts.at(-1) ?? assert.fail())
  const hold = app.provider.hold('token')
  const page = browser.get(last?.headers.get('location') ?? '')
  await hold.received()
  await browser.post(`${app.origin}/auth/sign-out`, {}, { follow: false })
  hold.release()
  assert.equal((await page).status, 400)
  assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
})

it('signs out both sessions of two tabs that completed at once', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = app.browser()
  const hold = app.provider.hold('token')
  const pages = []
  for (let tab = 1; tab <= 2; tab += 1) {
    pages.push(browser.get(`${app.origin}/auth/sign-in`))
    await hold.received(tab)
  }
  hold.release()
  await Promise.all(pages)
  assert.equal((await app.auth.sessions({ subject: 'U1' })).length, 2)
  await browser.post(`${app.origin}/auth/sign-out`, {}, { follow: false })
  assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
})

it('does not spend a refresh token twice while its answer waits for the store', async (t) => {
  const inner = memoryStore()
  let down = false
  const store: TokenStore = {
    ...inner,
    async replace(...given) {
      if (down) throw new Error('connection lost')
      return inner.replace(...given)
    },
  }
  const clock = startClock()
  const app = await startApplication({
    store,
    given: { clock },
    [environment]: { wait: clock.wait },
  })
  t.after(app.close)
  const request = app.as(await app.signedIn())
  down = true
  await assert.rejects(app.auth.accessToken(request, { forceRefresh: true }), {
    code: 'store_unavailable',
  })
  clock.forward(31_000)
  await settle()
  const caller = app.auth.accessToken(request, { forceRefresh: true })
  await settle()
  assert.equal(app.provider.count('token', 'refresh_token'), 1)
  down = false
  for (let round = 0; round < 5; round += 1) {
    clock.forward(5_000)
    await settle()
  }
  assert.ok((await caller).value)
  assert.deepEqual(app.provider.reused, [])
  assert.ok(await app.auth.session(request))
})

it('does not lose a spent refresh token for a key it cannot get', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  await app.provider.rotateKeys()
  app.provider.next('jwks', { status: 503 }, { times: Number.POSITIVE_INFINITY })
  assert.ok((await app.auth.accessToken(request, { forceRefresh: true })).value)
  app.provider.next('id_token', ({ claims }) => Object.assign(claims, { sub: 'U2' }), {
    grant: 'refresh_token',
  })
  await assert.rejects(app.auth.accessToken(request, { forceRefresh: true }), {
    code: 'sign_in_required',
  })
  assert.deepEqual(app.provider.reused, [])
})

it('keeps room for its own questions while strangers invent keys', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  for (let forged = 0; forged < 20; forged += 1) {
    await app.logout(await app.provider.logoutToken({ header: { kid: `invented-${forged}` } }))
  }
  await app.provider.rotateKeys()
  assert.ok((await app.auth.accessToken(request, { forceRefresh: true })).value)
  assert.equal((await app.signedIn({ sub: 'U2' })) !== undefined, true)
})

it('tells each session it removed in a receipt, also when the store fails halfway', async (t) => {
  const inner = memoryStore()
  let calls = 0
  const store: TokenStore = {
    ...inner,
    async removeAll(marks, removal) {
      calls += 1
      if (calls === 2) throw new Error('connection lost')
      return inner.removeAll(marks, { ...removal, limit: 1 })
    },
  }
  const app = await startApplication({ store })
  t.after(app.close)
  for (const sid of ['S1', 'S2']) await app.signedIn({ sub: 'U1', sid })
  app.clock.forward(1000)
  const token = await app.provider.logoutToken({ session: { sub: 'U1', sid: undefined } })
  assert.equal((await app.logout(token)).status, 400)
  const receipts = app.heard('signed_out').map(({ receipt }) => receipt)
  assert.deepEqual(
    receipts.map(({ removed }) => removed),
    [1],
  )
  await app.provider.received('revocation', 2)
  await settle()
  for (const { receipt } of app.heard('revocation')) assert.equal(receipt, receipts[0]?.id)
})

it('revokes what the provider gave when UserInfo cannot be believed', async (t) => {
  const app = await startApplication({ userInfo: true })
  t.after(app.close)
  app.provider.next('userinfo', { status: 500 })
  assert.equal((await app.browser().get(`${app.origin}/auth/sign-in`)).status, 503)
  await app.provider.received('revocation', 2)
  assert.deepEqual(app.provider.liveRefreshTokens(), [])
})

it('does not take a provider that missed its cookie in a frame for one whose session is over', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn()
  app.provider.next('authorization_response', (answer) => {
    answer.delete('code')
    answer.set('error', 'login_required')
  })
  const headers = { 'sec-fetch-dest': 'iframe' }
  const start = await browser.get(`${app.origin}/auth/sign-in?prompt=none`, { follow: false })
  const refused = await browser.follow(start)
  await browser.get(refused?.headers.get('location') ?? '', { headers })
  assert.ok(await app.auth.session(app.as(browser)))
})

it('finishes a removal that somebody left unfinished while the provider hangs', async () => {
  const inner = memoryStore()
  let dies = false
  const store: TokenStore = {
    ...inner,
    async removeAll(marks, removal) {
      if (!dies) return inner.removeAll(marks, removal)
      await inner.removeAll(marks, { ...removal, limit: 1 })
      return new Promise(() => {})
    },
  }
  const clock = startClock()
  const wait = { [environment]: { wait: clock.wait } }
  // As long as this test lasts, the first process waits for an answer, as one that died would.
  const patient = { storeTimeoutSeconds: 60 }
  const app = await startApplication({ store, given: { clock }, ...wait, ...patient })
  for (let device = 0; device < 3; device += 1) await app.signedIn({ sub: 'U1', sid: `S${device}` })
  app.provider.hold('revocation')
  dies = true
  void app.auth.signOut({ subject: 'U1' })
  await settle()
  dies = false
  const second = app.another({ store: inner, ...wait })
  for (let round = 0; round < 8; round += 1) {
    clock.forward(5_000)
    await settle()
  }
  assert.deepEqual(await second.sessions({ subject: 'U1' }), [])
  await app.provider.close()
})

it('does not send a body again that was read while it was sent', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  let sent = 0
  const api = app.another({
    [environment]: {
      now: app.clock.now,
      async fetch(input: string | URL, init?: RequestInit) {
        if (new URL(input).hostname !== 'api.test') return app.provider.fetch(input, init)
        sent += 1
        const headers = { 'www-authenticate': 'Bearer error="invalid_token"' }
        return new Response(null, { status: 401, headers })
      },
    },
  })
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode('once')
  }
  const init = { method: 'POST', body: body() } as unknown as RequestInit
  assert.equal((await api.fetch(request, 'https://api.test/', init)).status, 401)
  assert.equal(sent, 1)
})

it('tells the operator why nobody can sign in, and the browser only that', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const wrong = app.another({
    provider: {
      issuer: app.provider.issuer,
      clientId: 'app',
      clientSecret: 'not-the-secret-at-all',
    },
  })
  const page = await app.browser(wrong).get(`${app.origin}/auth/sign-in`)
  assert.equal(page.status, 502)
  assert.equal(page.text.includes('invalid_client'), false)
  assert.match(
    app.heard('sign_in_failed')[0]?.reason ?? '',
    /token endpoint refused: invalid_client/,
  )
})

it('does not take a mistyped option for one that was left out', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const { issuer } = app.provider
  const mistyped: [object, RegExp][] = [
    [{ scopes: 'openid' }, /`scopes` is no option.*scope/],
    [
      { session: { revalidateSecond: 60 } },
      /`session\.revalidateSecond` is no option.*revalidateSeconds/,
    ],
    [{ provider: { issuer, client_id: 'app' } }, /`provider\.client_id` is no option.*clientId/],
    [{ routes: { logout: '/x' } }, /`routes\.logout` is no option.*signOut/],
  ]
  for (const [options, message] of mistyped) {
    assert.throws(() => app.another(options), { name: 'TypeError', message })
  }
})
