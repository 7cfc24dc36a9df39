import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type SixSessions, startSixSessions } from '../support/sessions.ts'

/** What a frame on the provider's page sends: no cookie, unless a test says otherwise. */
function frame(
  app: SixSessions,
  query: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  const url = `${app.origin}/auth/frontchannel-logout${query}`
  return app.auth.handle(new Request(url, { headers: { 'sec-fetch-dest': 'iframe', ...headers } }))
}

const named = (app: SixSessions, sid: string): string =>
  `?iss=${encodeURIComponent(app.provider.issuer)}&sid=${encodeURIComponent(sid)}`

it('ends the named sessions without any cookie, and says the same of unknown ones [FCL-1, FCL-2, FCL-3]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const known = await frame(app, named(app, 'S1'))
  const unknown = await frame(app, named(app, 'S99'))
  assert.equal(known.status, 200)
  assert.equal(known.headers.get('cache-control'), 'no-store')
  assert.equal(unknown.status, known.status)
  assert.equal(await unknown.text(), await known.text())
  assert.deepEqual([...unknown.headers], [...known.headers])
  await app.assertGone('A1', 'A3')
})

it('can be shown in a frame of the provider and of nobody else [FCL-4]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const { headers } = await frame(app, named(app, 'S1'))
  assert.equal(headers.get('x-frame-options'), null)
  assert.equal(headers.get('cross-origin-resource-policy'), 'cross-origin')
  const policy = headers.get('content-security-policy') ?? ''
  assert.match(policy, new RegExp(`frame-ancestors ${new URL(app.provider.issuer).origin}(;|$)`))
})

it("leaves another session's cookie and session alone [FCL-5]", async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const response = await frame(app, named(app, 'S1'), app.as(app.browsers.B1).headers)
  assert.equal(response.headers.get('set-cookie'), null)
  await app.assertGone('A1', 'A3')
})

it('does nothing for another issuer, for an issuer alone, or for names that come twice [FCL-6, FCL-8, FCL-16]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const issuer = encodeURIComponent(app.provider.issuer)
  for (const query of [
    '?iss=https%3A%2F%2Fevil.test&sid=S1',
    `?iss=${issuer}`,
    `?iss=${issuer}%2F&sid=S1`,
    `?sid=S1&sid=S3&iss=${issuer}`,
    `?sid=S1&iss=${issuer}&iss=${issuer}`,
    '?sid=',
    `?iss=${issuer}&sid=`,
    `?iss=${issuer}&sid=${'x'.repeat(5000)}`,
  ]) {
    assert.equal((await frame(app, query)).status, 200, query)
  }
  await app.assertGone()
})

it('takes a sid alone where one issuer owns the endpoint [FCL-7]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  await frame(app, '?sid=S1')
  await app.assertGone('A1', 'A3')
})

it('without a name ends the session of its own cookie, and only in a frame [FCL-9, FCL-19]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const { headers } = app.as(app.browsers.A1)
  assert.equal((await frame(app, '')).status, 200)
  assert.equal((await frame(app, '', { ...headers, 'sec-fetch-dest': 'document' })).status, 200)
  await app.assertGone()
  assert.equal(app.heard('front_channel_unidentified').length, 2)
  assert.equal((await frame(app, '', headers)).headers.get('set-cookie'), null)
  await app.assertGone('A1')
})

it('revokes nothing at the provider: nobody signed the request [FCL-10]', async () => {
  const app = await startSixSessions()
  const live = app.provider.liveRefreshTokens().length
  await frame(app, named(app, 'S1'))
  await frame(app, '', app.as(app.browsers.B1).headers)
  await app.assertGone('A1', 'A3', 'B1')
  await app.auth.close()
  assert.equal(
    app.heard('signed_out').every(({ receipt }) => receipt.revocationsOwed === 0),
    true,
  )
  assert.equal(app.provider.count('revocation'), 0)
  assert.equal(app.provider.liveRefreshTokens().length, live)
  await app.close()
})

const ODD_SIDS = [
  `a b/=&#%"'<>|~`,
  '100%',
  '%zz',
  'a+b',
  'x&iss=y',
  '"<script>',
  '\\..\\',
  'a=b=c',
  '%00',
  'ü',
]

it('never fails for odd encodings, and finds every sid that is encoded as a URL asks [FCL-15, COR-24]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  for (const sid of ODD_SIDS) {
    const browser = await app.signedIn({ sub: 'U7', sid })
    app.clock.forward(1000)
    const raw = new Request(
      `${app.origin}/auth/frontchannel-logout?iss=${app.provider.issuer}&sid=${sid}`,
    )
    assert.equal((await app.auth.handle(raw)).status, 200, sid)
    assert.equal((await frame(app, named(app, sid))).status, 200, sid)
    assert.equal(await app.auth.session(app.as(browser)), undefined, sid)
  }
  await app.assertGone()
})

it('finds a sid that the provider put there without encoding it [FCL-15]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  for (const sid of ['a+b/c=', 'a&b', '100% sure', 'a"b']) {
    const browser = await app.signedIn({ sub: 'U7', sid })
    app.clock.forward(1000)
    const url = `${app.origin}/auth/frontchannel-logout?iss=${app.provider.issuer}&sid=${sid}`
    await app.auth.handle(new Request(url))
    assert.equal(await app.auth.session(app.as(browser)), undefined, sid)
  }
})

it('answers a guess like a hit, however many come, and keeps little of them [FCL-17]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const expected = await (await frame(app, named(app, 'S1'))).text()
  app.events.length = 0
  for (let guess = 0; guess < 2500; guess += 1) {
    const response = await frame(app, named(app, `guess-${guess}`))
    assert.equal(response.status, 200)
    if (guess % 500 === 0) assert.equal(await response.text(), expected)
  }
  // Each mark that is left is a receipt: so many strangers leave one.
  assert.equal(app.heard('signed_out').length, 2000)
  assert.equal(app.heard('front_channel_unidentified').length, 2500)
  await frame(app, named(app, 'S3'))
  await app.assertGone('A1', 'A3', 'B1')
})

it('refuses a sign-in that was under way when the provider said it is over [FCL-1, BCL-59]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  app.provider.user = { sub: 'U7', sid: 'S7' }
  const hold = app.provider.hold('token', { grant: 'authorization_code' })
  const browser = app.browser()
  const page = browser.get(`${app.origin}/auth/sign-in`)
  await hold.received()
  await frame(app, named(app, 'S7'))
  hold.release()
  assert.equal((await page).status, 400)
  assert.equal(app.heard('sign_in_failed').at(-1)?.code, 'signed_out_meanwhile')
  assert.equal(await app.auth.session(app.as(browser)), undefined)
})
