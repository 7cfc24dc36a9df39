import assert from 'node:assert/strict'
import { it } from 'node:test'
import { inspect } from 'node:util'
import { SignInRequired } from '#coatcheck'
import { startApplication } from '../support/application.ts'

const ORDERS = 'https://orders.test/'
const BILLS = 'https://bills.test/'

it('hands out the token at hand while it is good, and prints none [INV-12]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  const [first, second] = [await app.auth.accessToken(request), await app.auth.accessToken(request)]
  assert.equal(first.value, second.value)
  assert.equal(first.tokenType, 'Bearer')
  assert.equal(app.provider.count('token', 'refresh_token'), 0)
  for (const shown of [inspect(first), String(first), JSON.stringify({ first })]) {
    assert.equal(shown.includes(first.value), false)
    assert.match(shown, /redacted/)
  }
})

it('says that a sign-in is needed where nobody is signed in', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  await assert.rejects(app.auth.accessToken({ headers: {} }), (error: unknown) => {
    assert.ok(error instanceof SignInRequired)
    assert.equal(error.toResponse().status, 401)
    const page = error.toResponse(new Request(app.origin, { headers: { accept: 'text/html' } }))
    assert.equal(page.headers.get('location'), '/auth/sign-in')
    return true
  })
})

it('keeps one token for each resource and scope, and never serves one for another [TOK-12, TOK-13]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  const plain = await app.auth.accessToken(request)
  const orders = await app.auth.accessToken(request, { resource: ORDERS })
  const bills = await app.auth.accessToken(request, { resource: BILLS })
  const narrow = await app.auth.accessToken(request, { resource: ORDERS, scope: 'profile' })
  const values = [plain, orders, bills, narrow].map(({ value }) => value)
  assert.equal(new Set(values).size, 4)
  assert.deepEqual(app.provider.introspect(orders.value)?.audience, [ORDERS])
  assert.deepEqual(app.provider.introspect(bills.value)?.audience, [BILLS])
  const refreshes = app.provider.count('token', 'refresh_token')
  assert.equal((await app.auth.accessToken(request, { resource: ORDERS })).value, orders.value)
  assert.equal(
    (await app.auth.accessToken(request, { scope: 'profile', resource: ORDERS })).value,
    narrow.value,
  )
  assert.equal(app.provider.count('token', 'refresh_token'), refreshes)
  await assert.rejects(app.auth.accessToken(request, { resource: '/relative' }), TypeError)
  await assert.rejects(app.auth.accessToken(request, { resource: `${ORDERS}#part` }), TypeError)
})

it('shows what the provider says of a resource it does not know, and keeps the session [TOK-13]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  app.provider.settings.resources = [ORDERS]
  const request = app.as(await app.signedIn())
  await assert.rejects(app.auth.accessToken(request, { resource: BILLS }), {
    code: 'provider_refused',
    error: 'invalid_target',
  })
  assert.ok((await app.auth.accessToken(request, { resource: ORDERS })).value)
  assert.ok((await app.auth.accessToken(request)).value)
})

it('renews a token ahead of its end, with the refresh token of that session alone [TOK-1, TOK-3]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const [a, b] = [await app.signedIn({ sub: 'U1' }), await app.signedIn({ sub: 'U2' })]
  const before = await app.auth.accessToken(app.as(a))
  app.clock.forward(250_000)
  const after = await app.auth.accessToken(app.as(a))
  assert.notEqual(after.value, before.value)
  assert.equal(app.provider.introspect(after.value)?.family.session.sub, 'U1')
  assert.equal(app.provider.count('token', 'refresh_token'), 1)
  assert.deepEqual(app.provider.reused, [])
  assert.equal(
    app.provider.introspect((await app.auth.accessToken(app.as(b))).value)?.family.session.sub,
    'U2',
  )
  const sent = app.provider.requests.find((request) => request.grant === 'refresh_token')
  assert.match(sent?.headers.get('authorization') ?? '', /^Basic /)
})

it('renews on demand, and for as long as it is asked to be valid', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  const first = await app.auth.accessToken(request)
  const forced = await app.auth.accessToken(request, { forceRefresh: true })
  assert.notEqual(forced.value, first.value)
  const longer = await app.auth.accessToken(request, { minValiditySeconds: 100_000 })
  assert.notEqual(longer.value, forced.value)
})

it('lets a hundred callers in four processes cause one refresh [TOK-2]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  app.clock.forward(301_000)
  const processes = [app.auth, app.another(), app.another(), app.another()]
  const calls = Array.from({ length: 100 }, (_, at) => processes[at % 4]?.accessToken(request))
  const values = new Set((await Promise.all(calls)).map((token) => token?.value))
  assert.equal(values.size, 1)
  assert.equal(app.provider.count('token', 'refresh_token'), 1)
})

it('keeps the tokens of two resources apart when both are asked for at once [TOK-2, TOK-12]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  const other = app.another()
  const [orders, bills, again] = await Promise.all([
    app.auth.accessToken(request, { resource: ORDERS }),
    app.auth.accessToken(request, { resource: BILLS }),
    other.accessToken(request, { resource: ORDERS }),
  ])
  assert.deepEqual(app.provider.introspect(orders.value)?.audience, [ORDERS])
  assert.deepEqual(app.provider.introspect(bills.value)?.audience, [BILLS])
  assert.equal(again.value, orders.value)
  assert.equal(app.provider.count('token', 'refresh_token'), 2)
  assert.deepEqual(app.provider.reused, [])
})

it('ends the session where the provider refuses the refresh token [TOK-4, INV-11]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  const second = app.another()
  app.provider.next('token', { status: 400, json: { error: 'invalid_grant' } })
  await assert.rejects(app.auth.accessToken(request, { forceRefresh: true }), {
    code: 'sign_in_required',
  })
  assert.equal(await second.session(request), undefined)
  assert.equal(app.heard('signed_out')[0]?.receipt.cause, 'provider_refused')
})

it('keeps the session and its tokens while the provider is away, and does not hammer it [TOK-5]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  const first = await app.auth.accessToken(request)
  app.provider.next(
    'token',
    { status: 503, json: { error: 'temporarily_unavailable' } },
    { times: 3 },
  )
  app.clock.forward(245_000)
  assert.equal((await app.auth.accessToken(request)).value, first.value, 'a good token is served')
  app.clock.forward(60_000)
  for (let tries = 0; tries < 20; tries += 1) {
    await assert.rejects(app.auth.accessToken(request), { code: 'provider_unreachable' })
  }
  assert.ok(app.provider.count('token', 'refresh_token') <= 3)
  app.clock.forward(60_000)
  await assert.rejects(app.auth.accessToken(request), { code: 'provider_unreachable' })
  app.clock.forward(60_000)
  assert.ok((await app.auth.accessToken(request)).value)
  assert.ok(await app.auth.session(request))
})

it('sends the user to sign in where the provider wants to see the user, and keeps the session', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const request = app.as(await app.signedIn())
  app.provider.next('token', { status: 400, json: { error: 'interaction_required' } })
  await assert.rejects(app.auth.accessToken(request, { forceRefresh: true }), {
    code: 'sign_in_required',
  })
  assert.ok(await app.auth.session(request))
})

it('ends the session where a refreshed ID token is about somebody else [IDT-18]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  for (const changed of [{ sub: 'U2' }, { iss: 'https://evil.test' }, { aud: 'C9' }]) {
    const request = app.as(await app.signedIn({ sub: 'U1' }))
    app.provider.next('id_token', ({ claims }) => Object.assign(claims, changed), {
      grant: 'refresh_token',
    })
    await assert.rejects(app.auth.accessToken(request, { forceRefresh: true }), {
      code: 'sign_in_required',
    })
    assert.equal(await app.auth.session(request), undefined)
    app.clock.forward(1000)
  }
})

it('finds a session by every sid it ever had [COR-25]', async (t) => {
  for (const sid of ['S1', 'S1b']) {
    const app = await startApplication()
    t.after(app.close)
    const request = app.as(await app.signedIn({ sub: 'U1', sid: 'S1' }))
    app.provider.next('id_token', ({ claims }) => Object.assign(claims, { sid: 'S1b' }), {
      grant: 'refresh_token',
    })
    await app.auth.accessToken(request, { forceRefresh: true })
    app.clock.forward(1000)
    await app.logout(await app.provider.logoutToken({ session: { sub: 'U1', sid } }))
    assert.equal(await app.auth.session(request), undefined, sid)
  }
})

it('asks a provider that never tells, as often as it is set [TOK-4, TOK-15]', async (t) => {
  const app = await startApplication({ session: { revalidateSeconds: 60 } })
  t.after(app.close)
  const request = app.as(await app.signedIn())
  assert.ok(await app.auth.session(request))
  assert.equal(app.provider.count('token', 'refresh_token'), 0)
  app.clock.forward(61_000)
  assert.ok(await app.auth.session(request))
  assert.equal(app.provider.count('token', 'refresh_token'), 1)
  await app.provider.endUser('U1')
  app.clock.forward(61_000)
  assert.equal(await app.auth.session(request), undefined)
})

it('asks every quarter of an hour without being told, where no back-channel logout is announced', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  app.provider.metadata.backchannel_logout_supported = false
  const request = app.as(await app.signedIn())
  app.clock.forward(901_000)
  const restarted = app.another()
  assert.ok(await restarted.session(request))
  assert.equal(app.provider.count('token', 'refresh_token'), 1)
})

it('does not take a provider for one that never tells only because it was not asked yet', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  app.provider.settings.refreshTokens = 'never'
  const request = app.as(await app.signedIn())
  app.clock.forward(901_000)
  assert.ok(await app.another().session(request))
})

it('fetches with the token in the header, and once more when the API wants a fresher one [COR-19]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const seen: (string | null)[] = []
  const answers = [
    new Response(null, {
      status: 401,
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    }),
    new Response('fine'),
  ]
  const auth = app.another({})
  const inner = app.provider.fetch
  const request = app.as(await app.signedIn())
  const { environment } = await import('#coatcheck/core/environment')
  const api = app.another({
    [environment]: {
      now: app.clock.now,
      fetch: async (input: string | URL, init?: RequestInit) => {
        const url = new URL(input)
        if (url.hostname !== 'api.test') return inner(input, init)
        assert.equal(url.search, '')
        seen.push(new Headers(init?.headers).get('authorization'))
        return answers.shift() ?? new Response(null, { status: 401 })
      },
    },
  })
  const answer = await api.fetch(request, 'https://api.test/orders')
  assert.equal(await answer.text(), 'fine')
  assert.equal(seen.length, 2)
  assert.notEqual(seen[0], seen[1])
  assert.equal(seen[1], `Bearer ${(await auth.accessToken(request)).value}`)
  // An API that always says no is asked once more, and then believed.
  answers.push(
    new Response(null, {
      status: 401,
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    }),
  )
  answers.push(
    new Response(null, {
      status: 401,
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    }),
  )
  assert.equal((await api.fetch(request, 'https://api.test/orders')).status, 401)
  assert.equal(seen.length, 4)
})

it('ends sessions by their limits, like any other sign-out [TOK-15]', async (t) => {
  for (const [session, passed] of [
    [{ idleSeconds: 60, lifetimeSeconds: 3600 }, 61_000],
    [{ idleSeconds: 3600, lifetimeSeconds: 120 }, 121_000],
  ] as const) {
    const app = await startApplication({ session })
    t.after(app.close)
    const request = app.as(await app.signedIn())
    assert.ok(await app.auth.session(request))
    app.clock.forward(passed)
    assert.equal(await app.auth.session(request), undefined)
    await assert.rejects(app.auth.accessToken(request), { code: 'sign_in_required' })
  }
})
