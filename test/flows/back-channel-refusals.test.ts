import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { LogoutTokenParts } from '#coatcheck/testing/provider/logout'
import { assertDone, assertRefused, startSixSessions } from '../support/sessions.ts'

const S1 = { sub: 'U1', sid: 'S1' }
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
type Change = Pick<LogoutTokenParts, 'claims' | 'header'>
const claims = (changed: Record<string, unknown>): Change => ({ claims: changed })

const REFUSED: readonly [title: string, change: (now: number) => Change][] = [
  ['of another issuer [BCL-26]', () => claims({ iss: 'https://evil.test' })],
  ['for another client [BCL-27]', () => claims({ aud: 'C9' })],
  ['for nobody [BCL-27]', () => claims({ aud: [] })],
  ['for an audience of a wrong type [BCL-27]', () => claims({ aud: [['app']] })],
  ['for somebody else too [BCL-28]', () => claims({ aud: ['app', 'C9'] })],
  ['without iat [BCL-29]', () => claims({ iat: undefined })],
  ['with an iat that is no number [BCL-29]', (now) => claims({ iat: String(now) })],
  ['from the future [BCL-29]', (now) => claims({ iat: now + 3600, exp: now + 3700 })],
  [
    'from the day before yesterday [BCL-29]',
    (now) => claims({ iat: now - 90_000, exp: now + 100 }),
  ],
  ['with an exp that is no number [BCL-30]', () => claims({ exp: 'tomorrow' })],
  ['that names nobody [BCL-32]', () => claims({ sub: undefined, sid: undefined })],
  ['with null for everybody [BCL-32]', () => claims({ sub: null, sid: null })],
  ['with a list of sids [BCL-32]', () => claims({ sid: ['S1'] })],
  ['with an empty sid [BCL-32]', () => claims({ sub: undefined, sid: '' })],
  ['without events [BCL-33]', () => claims({ events: undefined })],
  ['with a list of events [BCL-33]', () => claims({ events: [EVENT] })],
  [
    'with another event [BCL-33]',
    () => claims({ events: { 'http://schemas.openid.net/event/foobar': {} } }),
  ],
  ['with the event null [BCL-34]', () => claims({ events: { [EVENT]: null } })],
  ['with the event a list [BCL-34]', () => claims({ events: { [EVENT]: [] } })],
  ['with the event a text [BCL-34]', () => claims({ events: { [EVENT]: 'x' } })],
  ['with a nonce [BCL-36]', () => claims({ nonce: 'n' })],
  ['with a nonce that is null [BCL-36]', () => claims({ nonce: null })],
  ['without jti [BCL-37]', () => claims({ jti: undefined })],
  ['with an empty jti [BCL-37]', () => claims({ jti: '' })],
  ['of type at+jwt [BCL-41]', () => ({ header: { typ: 'at+jwt' } })],
  ['of type secevent+jwt [BCL-41]', () => ({ header: { typ: 'secevent+jwt' } })],
  ['that demands an extension [BCL-44]', () => ({ header: { crit: ['exp'], exp: 1 } })],
]

for (const [title, change] of REFUSED) {
  it(`refuses a logout token ${title}`, async (t) => {
    const app = await startSixSessions()
    t.after(app.close)
    const now = Math.floor(app.clock.now() / 1000)
    const token = await app.provider.logoutToken({ session: S1, ...change(now) })
    await assertRefused(await app.logout(token))
    assert.equal(app.heard('logout_refused').at(-1)?.code, 'logout_token_invalid')
    await app.assertGone()
    assertDone(await app.logout(await app.provider.logoutToken({ session: S1 })))
  })
}

const ACCEPTED: readonly [title: string, change: (now: number) => Change][] = [
  ['without a type [BCL-41]', () => ({ header: { typ: undefined } })],
  ['of type JWT [BCL-41]', () => ({ header: { typ: 'jwt' } })],
  ['of its full type in capitals [BCL-41]', () => ({ header: { typ: 'APPLICATION/LOGOUT+JWT' } })],
  ['for a list with only us in it [BCL-28]', () => claims({ aud: ['app'] })],
  [
    'with claims and events nobody knows [BCL-35, BCL-43]',
    () => claims({ ignored_claim: 1, events: { [EVENT]: {}, other: {} } }),
  ],
  [
    'with something in the event [BCL-34]',
    () => claims({ events: { [EVENT]: { revoke_offline_access: true } } }),
  ],
  ['in its last second [BCL-30]', (now) => claims({ iat: now - 100, exp: now - 59 })],
]

for (const [title, change] of ACCEPTED) {
  it(`accepts a logout token ${title}`, async (t) => {
    const app = await startSixSessions()
    t.after(app.close)
    app.clock.forward(200_000)
    const now = Math.floor(app.clock.now() / 1000)
    const token = await app.provider.logoutToken({ session: S1, ...change(now) })
    assertDone(await app.logout(token))
    await app.assertGone('A1', 'A3')
  })
}

it('takes a fresh token without exp, says so, and refuses an old one [BCL-31]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const now = Math.floor(app.clock.now() / 1000)
  const old = await app.provider.logoutToken({
    session: S1,
    claims: { iat: now - 301, exp: undefined },
  })
  await assertRefused(await app.logout(old))
  const fresh = await app.provider.logoutToken({ session: S1, claims: { exp: undefined } })
  assertDone(await app.logout(fresh))
  assert.equal(app.heard('logout_without_expiry').length, 1)
  await app.assertGone('A1', 'A3')
})

it('is strict where it is told to be [BCL-42, BCL-31]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const { issuer } = app.provider
  const provider = { issuer, clientId: 'app', clientSecret: 'secret', strictLogoutTokens: true }
  const strict = app.another({ provider })
  for (const change of [
    { header: { typ: undefined } },
    { header: { typ: 'JWT' } },
    { claims: { exp: undefined } },
  ]) {
    await assertRefused(
      await app.logout(await app.provider.logoutToken({ session: S1, ...change }), strict),
    )
  }
  assertDone(await app.logout(await app.provider.logoutToken({ session: S1 }), strict))
})

it('does not obey a genuine token that comes too late, but asks the provider before the next token [BCL-30]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: S1 })
  app.clock.forward(200_000)
  await assertRefused(await app.logout(token))
  assert.equal(app.heard('logout_late')[0]?.sessions, 2)
  const before = app.provider.count('token', 'refresh_token')
  await app.assertGone()
  assert.equal(app.provider.count('token', 'refresh_token'), before + 2)
})

it('hands out no token of a session that a late logout token named while the provider is away [BCL-30]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: S1 })
  app.clock.forward(200_000)
  await assertRefused(await app.logout(token))
  await app.provider.stop()
  await assert.rejects(app.auth.accessToken(app.as(app.browsers.A1)), {
    code: 'provider_unreachable',
  })
  assert.ok((await app.auth.accessToken(app.as(app.browsers.A2))).value)
  await app.provider.start()
})

it('validates before it looks anybody up: an unknown session is no way around [BCL-45, BCL-23]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: { sub: 'U9', sid: 'S9' } })
  const [head, body, signature = ''] = token.split('.')
  const broken = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  await assertRefused(await app.logout(broken))
  await assertRefused(await app.logout(`${head}.${body}.`))
  await assertRefused(await app.logout(`${head}.${body}`))
})
