import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Auth, TokenStore } from '#coatcheck'
import { memoryStore } from '#coatcheck/stores/memory'
import { type Application, startApplication } from '../support/application.ts'
import { startSixSessions } from '../support/sessions.ts'

type Browser = Awaited<ReturnType<Application['signedIn']>>

/** Every way to sign a session out, as its user, its provider or its administrator would. */
const WAYS: Readonly<Record<string, (app: Application, browser: Browser) => Promise<unknown>>> = {
  user: (app, browser) => browser.post(`${app.origin}/auth/sign-out`, {}, { follow: false }),
  back_channel: async (app) =>
    app.logout(await app.provider.logoutToken({ session: { sub: 'U1', sid: 'S1' } })),
  front_channel: (app) =>
    app.auth.handle(new Request(`${app.origin}/auth/frontchannel-logout?sid=S1`)),
  administrator: (app) => app.auth.signOut({ subject: 'U1' }),
  security_event: (app) => app.auth.signOut({ sid: 'S1' }, { cause: 'security_event' }),
  provider_refused: async (app, browser) => {
    app.provider.next('token', { status: 400, json: { error: 'invalid_grant' } })
    await app.auth.accessToken(app.as(browser), { forceRefresh: true }).catch(() => undefined)
  },
  replaced: (app, browser) => browser.get(`${app.origin}/auth/sign-in`),
}

for (const [cause, signOut] of Object.entries(WAYS)) {
  it(`makes the old cookie worthless in every process, with one receipt: ${cause} [INV-9, INV-11, INV-13]`, async (t) => {
    const app = await startApplication()
    t.after(app.close)
    const second = app.another()
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    const copied = app.as(browser)
    app.clock.forward(1000)
    await signOut(app, browser)
    for (const auth of [app.auth, second]) {
      assert.equal(await auth.session(copied), undefined)
      await assert.rejects(auth.accessToken(copied), { code: 'sign_in_required' })
    }
    const receipts = app.heard('signed_out').map(({ receipt }) => receipt)
    assert.deepEqual(
      receipts.filter(({ removed }) => removed > 0).map((receipt) => receipt.cause),
      [cause],
    )
    const receipt = receipts.find(({ removed }) => removed > 0)
    assert.deepEqual(receipt?.tokens, { access: 1, refresh: 1, id: 1 })
    assert.equal(receipt?.sessions.length, 1)
  })
}

it('leaves nothing of the session in the store, only what is owed to the provider until it confirms [INV-2, BCL-56, TOK-14]', async (t) => {
  const written = new Map<string, Uint8Array>()
  const inner = memoryStore()
  const store: TokenStore = {
    ...inner,
    async insert(id, record) {
      const done = await inner.insert(id, record)
      if (done) written.set(id, record.value)
      return done
    },
  }
  const app = await startApplication({ store })
  t.after(app.close)
  const request = app.as(await app.signedIn({ sub: 'U1', sid: 'S1' }))
  await app.auth.accessToken(request, { resource: 'https://orders.test/' })
  for (const value of written.values()) assert.equal(Buffer.from(value).includes('eyJ'), false)
  app.clock.forward(1000)
  await app.logout(await app.provider.logoutToken())
  await app.provider.received('revocation', 3)
  await app.auth.close()
  for (const id of written.keys()) {
    if (id !== 'k' && !id.startsWith('j.')) assert.equal(await store.get(id), undefined, id)
  }
  assert.equal(app.provider.liveRefreshTokens().length, 0)
})

it('drops and revokes what a refresh brought that lost against a sign-out [INV-3, TOK-6]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn({ sub: 'U1', sid: 'S1' }))
  app.clock.forward(1000)
  const hold = app.provider.hold('token', { at: 'answer', grant: 'refresh_token' })
  const caller = app.auth.accessToken(request, { forceRefresh: true })
  await hold.received()
  const logout = await app.logout(await app.provider.logoutToken())
  assert.equal(logout.status, 200)
  assert.equal(await app.auth.session(request), undefined)
  hold.release()
  await assert.rejects(caller, { code: 'sign_in_required' })
  await app.provider.received('revocation', 4)
  assert.deepEqual(app.provider.liveRefreshTokens(), [])
  assert.deepEqual(app.provider.liveAccessTokens(), [])
  assert.equal(app.heard('refresh_lost').length, 1)
})

it('refuses a callback that was under way when the logout came, and revokes what it was given [BCL-59, BCL-60]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  app.provider.user = { sub: 'U1', sid: 'S1' }
  for (const claims of [{}, { sid: undefined }]) {
    const hold = app.provider.hold('token', { at: 'answer', grant: 'authorization_code', times: 1 })
    const browser = app.browser()
    const page = browser.get(`${app.origin}/auth/sign-in`)
    await hold.received()
    const token = await app.provider.logoutToken({ session: { sub: 'U1', sid: 'S1' }, claims })
    assert.equal((await app.logout(token)).status, 200)
    hold.release()
    assert.equal((await page).status, 400)
    assert.equal(await app.auth.session(app.as(browser)), undefined)
    // Both times are in whole seconds: in the next one a sign-in is a later sign-in.
    app.clock.forward(1000)
    const later = await app.signedIn({ sub: 'U1', sid: 'S1' })
    assert.ok(await app.auth.session(app.as(later)))
    app.clock.forward(1000)
  }
  await app.provider.received('revocation', 4)
})

it('serves nothing when the store is out of reach, and clears no cookie [INV-4]', async (t) => {
  const inner = memoryStore()
  let down = false
  const fail = (): never => {
    throw new Error('connection lost')
  }
  const store: TokenStore = { ...inner, get: (id) => (down ? fail() : inner.get(id)) }
  const app = await startApplication({ store })
  t.after(app.close)
  const request = app.as(await app.signedIn())
  assert.ok((await app.auth.accessToken(request)).value)
  down = true
  await assert.rejects(app.auth.session(request), { code: 'store_unavailable' })
  await assert.rejects(app.auth.accessToken(request), { code: 'store_unavailable' })
  for (const path of ['/auth/session', '/auth/sign-in', '/auth/frontchannel-logout?sid=S1']) {
    const response = await app.auth.handle(new Request(app.origin + path, request))
    assert.equal(response.status, 503, path)
    assert.equal(response.headers.get('set-cookie'), null)
  }
  const headers = { ...request.headers, 'sec-fetch-site': 'same-origin' }
  const signOut = await app.auth.handle(
    new Request(`${app.origin}/auth/sign-out`, { method: 'POST', headers }),
  )
  assert.equal(signOut.status, 503)
  assert.equal(signOut.headers.get('set-cookie'), null)
  down = false
  assert.ok((await app.auth.accessToken(request)).value)
})

it("signs out by session, by the provider's session and by user, and nobody else's [INV-5]", async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const session = await app.auth.session(app.as(app.browsers.A2))
  assert.ok(session)
  assert.equal((await app.auth.signOut({ session })).removed, 1)
  await app.assertGone('A2')
  assert.equal((await app.auth.signOut({ sid: 'S1' })).removed, 2)
  await app.assertGone('A1', 'A2', 'A3')
  assert.equal((await app.auth.signOut({ issuer: app.provider.issuer, subject: 'U2' })).removed, 1)
  await app.assertGone('A1', 'A2', 'A3', 'B1')
  assert.equal((await app.auth.signOut({ subject: 'nobody' })).removed, 0)
  await assert.rejects(app.auth.signOut({ issuer: 'https://evil.test', subject: 'U3' }), TypeError)
  await assert.rejects(app.auth.signOut({ session: 'not a handle' }), TypeError)
  await assert.rejects(app.auth.signOut({ subject: '' }), TypeError)
})

it("lists a user's sessions without a token in them", async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const sessions = await app.auth.sessions({ subject: 'U1' })
  assert.deepEqual(sessions.map(({ sid }) => sid).sort(), ['S1', 'S1', 'S2'])
  assert.equal(JSON.stringify(sessions).includes('eyJ'), false)
  const [first] = sessions
  assert.ok(first)
  await app.auth.signOut({ session: first.handle })
  assert.equal((await app.auth.sessions({ subject: 'U1' })).length, 2)
  assert.deepEqual(await app.auth.sessions({ subject: 'nobody' }), [])
})

it('does not keep a user out who signs in again after an administrator acted, whatever the clocks say', async (t) => {
  for (const skew of [-50_000, 0, 50_000]) {
    const app = await startApplication()
    t.after(app.close)
    app.provider.next(
      'id_token',
      ({ claims }) => {
        claims['iat'] = Number(claims['iat']) + skew / 1000
      },
      { times: Infinity },
    )
    const old = app.as(await app.signedIn({ sub: 'U1', sid: 'S1' }))
    app.clock.forward(1)
    assert.equal((await app.auth.signOut({ subject: 'U1' })).removed, 1)
    app.clock.forward(1)
    const fresh = app.as(await app.signedIn({ sub: 'U1', sid: 'S2' }))
    assert.ok(await app.auth.session(fresh), `skew ${skew}`)
    assert.equal(await app.auth.session(old), undefined)
  }
})

it('refuses a sign-in that began before an administrator acted, whatever the clocks say', async (t) => {
  for (const skew of [-50_000, 50_000]) {
    const app = await startApplication()
    t.after(app.close)
    app.provider.user = { sub: 'U1', sid: 'S1' }
    app.provider.next('id_token', ({ claims }) => {
      claims['iat'] = Number(claims['iat']) + skew / 1000
    })
    const hold = app.provider.hold('token', { at: 'answer', grant: 'authorization_code' })
    const page = app.browser().get(`${app.origin}/auth/sign-in`)
    await hold.received()
    app.clock.forward(5)
    await app.auth.signOut({ subject: 'U1' })
    hold.release()
    assert.equal((await page).status, 400, `skew ${skew}`)
    assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
  }
})

it('is done in the same way by several sign-outs at once, each session in one receipt', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const second: Auth = app.another()
  const token = await app.provider.logoutToken({ session: { sub: 'U1', sid: 'S1' } })
  const other = await app.provider.logoutToken({ session: { sub: 'U1', sid: 'S1' } })
  await Promise.all([
    app.logout(token),
    app.logout(token, second),
    app.logout(other, second),
    second.signOut({ subject: 'U1' }),
    app.auth.handle(new Request(`${app.origin}/auth/frontchannel-logout?sid=S1`)),
    app.browsers.A1.post(`${app.origin}/auth/sign-out`, {}, { follow: false }),
  ])
  await app.assertGone('A1', 'A2', 'A3')
  const handles = app.heard('signed_out').flatMap(({ receipt }) => receipt.sessions)
  assert.equal(handles.length, 3)
  assert.equal(new Set(handles).size, 3)
})
