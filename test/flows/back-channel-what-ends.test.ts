import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertDone, assertRefused, startSixSessions } from '../support/sessions.ts'

const S1 = { sub: 'U1', sid: 'S1' }

it('ends every session of one provider session, and no other [BCL-1, BCL-50, INV-1, INV-5]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  assertDone(await app.logout(await app.provider.logoutToken({ session: S1 })))
  await app.assertGone('A1', 'A3')
})

it('ends all sessions of a user where the token has no sid [BCL-51]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: S1, claims: { sid: undefined } })
  assertDone(await app.logout(token))
  await app.assertGone('A1', 'A2', 'A3')
})

it('needs no sub where there is a sid [BCL-52]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: S1, claims: { sub: undefined } })
  assertDone(await app.logout(token))
  await app.assertGone('A1', 'A3')
})

it('ends a session that was stored without a sid by its user [BCL-53]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: { sub: 'U3', sid: 'S77' } })
  assertDone(await app.logout(token))
  await app.assertGone('N1')
})

it('ends nothing for an unknown sid of a known user, and nothing for a stranger [BCL-54, BCL-55]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  for (const session of [
    { sub: 'U1', sid: 'S99' },
    { sub: 'U9', sid: 'S9' },
  ]) {
    assertDone(await app.logout(await app.provider.logoutToken({ session })))
  }
  await app.assertGone()
})

it('refuses a sid that belongs to another user than the token names [BCL-46]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: { sub: 'U2', sid: 'S1' } })
  await assertRefused(await app.logout(token))
  await app.assertGone()
})

it('still finds the other sessions of a user after one of them signed out [INV-6]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  await app.browsers.A3.post(`${app.origin}/auth/sign-out`, {}, { follow: false })
  await app.assertGone('A3')
  const token = await app.provider.logoutToken({ session: S1, claims: { sid: undefined } })
  assertDone(await app.logout(token))
  await app.assertGone('A1', 'A2', 'A3')
})

it('finds a session after its limits were moved past where they began [INV-7]', async (t) => {
  const app = await startSixSessions({ session: { idleSeconds: 600, lifetimeSeconds: 7200 } })
  t.after(app.close)
  for (let passed = 0; passed < 1800; passed += 300) {
    app.clock.forward(300_000)
    await app.assertGone()
  }
  assertDone(await app.logout(await app.provider.logoutToken({ session: S1 })))
  await app.assertGone('A1', 'A3')
})

it('answers a replay with 200 and leaves a later session alone [BCL-38]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: S1 })
  assertDone(await app.logout(token))
  app.clock.forward(1000)
  app.provider.sessions.forEach((session) => {
    if (session.sid === 'S1') session.ended = true
  })
  const again = await app.signedIn(S1)
  assertDone(await app.logout(token))
  assertDone(await app.logout(token, app.another()))
  assert.equal((await app.auth.session(app.as(again)))?.sid, 'S1')
  assert.equal(app.heard('logout_repeated').length, 2)
})

it('ignores cookies: they neither select nor protect [BCL-10, BCL-8]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const body = new URLSearchParams({
    logout_token: await app.provider.logoutToken({ session: S1 }),
  })
  const headers = { ...app.as(app.browsers.B1).headers, origin: 'https://elsewhere.test' }
  assertDone(await app.post(body, { headers }))
  await app.assertGone('A1', 'A3')
})

it('revokes what the ended sessions held, refresh token first [BCL-57, TOK-7]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const before = app.provider.liveRefreshTokens().length
  assertDone(await app.logout(await app.provider.logoutToken({ session: S1 })))
  await app.provider.received('revocation', 4)
  const hints = app.provider.requests
    .filter((request) => request.endpoint === 'revocation')
    .map((request) => request.form.get('token_type_hint'))
  assert.deepEqual(hints.filter((hint) => hint === 'refresh_token').length, 2)
  assert.equal(hints[0], 'refresh_token')
  assert.equal(app.provider.liveRefreshTokens().length, before - 2)
})
