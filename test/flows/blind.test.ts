import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AuthEvent } from '#coatcheck'
import { startApplication } from '../support/application.ts'
import { type BlindApplication, startBlind } from '../support/blind.ts'
import { ACT, DRIVER_SAYS, type Fault } from '../support/faulty-store.ts'
import { arriving, ask, assertNotStored, assertSignInWorks } from '../support/requests.ts'

/** Everything a store out of reach may do, for as long as it is. */
const AWAY: Readonly<Record<string, Fault>> = {
  'that refuses': 'refused',
  'that never answers': 'unanswered',
  'that does as it is told and never answers': 'unanswered though done',
  'that answers too late': { after: 3_000 },
  'that cannot work until somebody acts': 'unusable',
}
const LIMIT = 2_000
const U1 = { sub: 'U1', sid: 'S1' }

/** What an application or a browser may want, by the session that it is about. */
const WISHES: Readonly<
  Record<string, (app: BlindApplication, cookie: string) => Promise<Response | { code: unknown }>>
> = {
  session: ({ auth }, cookie) => told(auth.session({ headers: { cookie } })),
  accessToken: ({ auth }, cookie) => told(auth.accessToken({ headers: { cookie } })),
  refresh: ({ auth }, cookie) =>
    told(auth.accessToken({ headers: { cookie } }, { forceRefresh: true })),
  fetch: ({ auth }, cookie) => told(auth.fetch({ headers: { cookie } }, 'https://api.test/')),
  sessions: ({ auth }) => told(auth.sessions({ subject: 'U1' })),
  'sign-in': (app, cookie) => ask(app, '/auth/sign-in', { cookie }),
  'GET /auth/session': (app, cookie) => ask(app, '/auth/session', { cookie }),
}

/** Every way to say that U1 shall be signed out. */
const SIGN_OUTS: Readonly<
  Record<string, (app: BlindApplication, cookie: string) => Promise<Response | { code: unknown }>>
> = {
  'by the user': (app, cookie) =>
    ask(app, '/auth/sign-out', {
      method: 'POST',
      cookie,
      headers: { 'sec-fetch-site': 'same-origin' },
    }),
  'by the back channel': async (app) => app.logout(await app.provider.logoutToken({ session: U1 })),
  'by the front channel': (app) => ask(app, '/auth/frontchannel-logout?sid=S1'),
  'by an administrator': ({ auth }) => told(auth.signOut({ subject: 'U1' })),
  'for a security event': ({ auth }) =>
    told(auth.signOut({ sid: 'S1' }, { cause: 'security_event' })),
}

for (const [which, fault] of Object.entries(AWAY)) {
  describe(`a store ${which}`, () => {
    const code = fault === 'unusable' ? 'store_unusable' : 'store_unavailable'

    it('has everybody told so in time, and nobody signed out by it [INV-4, COO-20]', async (t) => {
      const app = await startBlind(t)
      const cookie = app.as(await app.signedIn(U1)).headers.cookie
      const coming = await arriving(app)
      app.store.fault = () => fault
      const wishes: typeof WISHES = {
        ...WISHES,
        callback: () => ask(app, coming.path, { cookie: coming.cookie }),
      }
      for (const [wish, want] of Object.entries(wishes)) {
        const since = app.clock.now()
        const answer = await app.end(want(app, cookie))
        assert.ok(app.clock.now() - since <= LIMIT, `${wish}: ${app.clock.now() - since} ms`)
        await assertBlind(answer, code)
      }
      app.store.fault = undefined
      await app.pass(3_000)
      assert.equal((await app.auth.session({ headers: { cookie } }))?.subject, 'U1')
      assert.ok((await app.auth.accessToken({ headers: { cookie } })).value)
      await assertSignInWorks(app)
      assert.deepEqual(app.provider.reused, [])
    })

    for (const [who, signOut] of Object.entries(SIGN_OUTS)) {
      it(`does not lose a sign-out ${who} [INV-4, BCL-13]`, async (t) => {
        const app = await startBlind(t)
        const second = app.another()
        const cookie = app.as(await app.signedIn(U1)).headers.cookie
        const other = app.as(await app.signedIn({ sub: 'U2', sid: 'S2' }))
        app.clock.forward(1_000)
        app.store.fault = () => fault
        const since = app.clock.now()
        const answer = await app.end(signOut(app, cookie))
        assert.ok(app.clock.now() - since <= LIMIT)
        await assertBlind(answer, code, who === 'by the back channel' ? 400 : 503)
        assert.equal(app.heard('sign_out_deferred').length, 1)
        await app.pass(20_000)
        app.store.fault = undefined
        await app.pass(8_000)
        for (const auth of [app.auth, second]) {
          assert.equal(await auth.session({ headers: { cookie } }), undefined)
          assert.equal((await auth.session(other))?.subject, 'U2')
        }
      })
    }

    for (const away of [0, 5_000]) {
      it(`loses no sign-out where it is back ${away / 1000} seconds after the process was told to end [BCL-13]`, async (t) => {
        const app = await startBlind(t)
        const second = app.another()
        const cookie = app.as(await app.signedIn(U1)).headers.cookie
        app.clock.forward(1_000)
        app.store.fault = () => fault
        for (const signOut of Object.values(SIGN_OUTS)) await app.end(signOut(app, cookie))
        const closed = app.auth.close()
        await app.pass(away)
        app.store.fault = undefined
        await app.end(closed)
        assert.deepEqual(app.heard('sign_out_lost'), [])
        await app.pass(8_000)
        assert.equal(await second.session({ headers: { cookie } }), undefined)
      })
    }

    it('is told of once, in words that an operator can act on and that repeat no driver', async (t) => {
      const app = await startBlind(t)
      const request = app.as(await app.signedIn(U1))
      for (const spell of [1, 2]) {
        app.store.fault = () => fault
        for (let time = 0; time < 5; time += 1) {
          await app.end(told(app.auth.session(request)))
          await app.pass(1_000)
        }
        const failures = app.heard('store_failed').filter(({ operation }) => operation === 'get')
        assert.equal(failures.length, spell)
        assert.equal(failures[0]?.code, code)
        assert.ok(failures[0]?.reason.includes(fault === 'unusable' ? ACT : 'token store'))
        assert.equal(JSON.stringify(app.events).includes(DRIVER_SAYS), false)
        app.store.fault = undefined
        await app.pass(3_000)
        assert.ok(await app.auth.session(request))
      }
    })
  })
}

describe('a store that fell silent', () => {
  it('is asked every few seconds, by nobody who waits for it, until it answers', async (t) => {
    const app = await startBlind(t)
    const request = app.as(await app.signedIn(U1))
    await app.pass(5_000)
    app.store.fault = () => 'unanswered'
    await app.end(told(app.auth.session(request)))
    app.store.fault = () => 'unanswered'
    for (let second = 0; second < 30; second += 1) {
      const since = app.clock.now()
      const answers = Array.from({ length: 50 }, () => told(app.auth.session(request)))
      for (const answer of await Promise.all(answers)) {
        assert.deepEqual(answer, { code: 'store_unavailable' })
      }
      assert.equal(app.clock.now(), since)
      await app.pass(1_000)
    }
    const { calls } = app.store
    assert.ok(calls.length >= 5 && calls.length <= 8, `asked ${calls.length} times`)
    assert.deepEqual([...new Set(calls)], ['get'])
    app.store.fault = undefined
    await app.pass(5_000)
    assert.ok(await app.auth.session(request))
  })

  it('is not given up because one call hangs', async (t) => {
    for (const hangs of ['sweep', 'removeAll', 'list', 'claim'] as const) {
      const app = await startBlind(t)
      const request = app.as(await app.signedIn(U1))
      app.store.fault = (operation) => (operation === hangs ? 'unanswered' : undefined)
      const hanging = [
        told(app.auth.signOut({ subject: 'U9' })),
        told(app.auth.sessions({ subject: 'U9' })),
      ]
      for (let round = 0; round < 300; round += 1) {
        assert.ok(await app.end(app.auth.session(request)), hangs)
        await app.pass(250)
      }
      await app.end(Promise.all(hanging))
    }
  })

  it('does not hold up the end of the process for long', async (t) => {
    const app = await startBlind(t)
    const cookie = app.as(await app.signedIn(U1)).headers.cookie
    app.clock.forward(1_000)
    app.store.fault = () => 'unanswered'
    for (const signOut of Object.values(SIGN_OUTS)) await app.end(signOut(app, cookie))
    const since = app.clock.now()
    await app.end(app.auth.close())
    assert.ok(app.clock.now() - since <= 12_000, `${app.clock.now() - since} ms`)
    assert.equal(app.heard('sign_out_lost').length, 5)
    const asked = app.store.calls.length
    await app.pass(10_000)
    assert.equal(app.store.calls.length, asked)
  })
})

it('waits for a slow store as long as it said it would', async (t) => {
  for (const after of [500, 1_500]) {
    const app = await startBlind(t)
    app.store.fault = () => ({ after })
    const browser = await app.end(app.signedIn(U1))
    const request = app.as(browser)
    assert.equal((await app.end(app.auth.session(request)))?.subject, 'U1')
    assert.ok((await app.end(app.auth.accessToken(request, { forceRefresh: true }))).value)
    app.clock.forward(1_000)
    const token = await app.provider.logoutToken({ session: U1 })
    assert.equal((await app.end(app.logout(token))).status, 200)
    assert.equal(await app.end(app.auth.session(request)), undefined)
    assert.deepEqual(app.heard('store_failed'), [])
  }
})

it('has a limit that can be chosen', async (t) => {
  const app = await startBlind(t, { storeTimeoutSeconds: 10 })
  const request = app.as(await app.signedIn(U1))
  app.store.fault = () => 'unanswered'
  const since = app.clock.now()
  assert.deepEqual(await app.end(told(app.auth.session(request))), { code: 'store_unavailable' })
  const took = app.clock.now() - since
  assert.ok(took > 8_000 && took <= 10_000, `${took} ms`)
  for (const storeTimeoutSeconds of [0, -1, 61, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => app.another({ storeTimeoutSeconds }), {
      name: 'TypeError',
      message: /`storeTimeoutSeconds` must be a number of seconds/,
    })
  }
})

it('passes on what is not the store’s to say', async (t) => {
  const app = await startApplication({ keys: ['the first key of this store, of 32 bytes'] })
  t.after(app.close)
  const request = app.as(await app.signedIn(U1))
  const stranger = app.another({ keys: ['quite another key that nobody told it'] })
  await assert.rejects(stranger.session(request), { code: 'keys_unknown' })
  assert.deepEqual(
    app.events.filter(({ type }: AuthEvent) => type === 'store_failed'),
    [],
  )
})

it('keeps what a refresh brought while the store was away, and spends nothing twice [TOK-6]', async (t) => {
  const app = await startBlind(t)
  const request = app.as(await app.signedIn(U1))
  const hold = app.provider.hold('token', { at: 'answer', grant: 'refresh_token' })
  const caller = told(app.auth.accessToken(request, { forceRefresh: true }))
  await hold.received()
  app.store.fault = () => 'unanswered'
  hold.release()
  assert.deepEqual(await app.end(caller), { code: 'store_unavailable' })
  for (let time = 0; time < 5; time += 1) {
    assert.deepEqual(await app.end(told(app.auth.accessToken(request, { forceRefresh: true }))), {
      code: 'store_unavailable',
    })
    await app.pass(10_000)
  }
  app.store.fault = undefined
  await app.pass(8_000)
  assert.equal(app.provider.count('token', 'refresh_token'), 1)
  assert.ok((await app.end(app.auth.accessToken(request))).value)
  assert.ok((await app.end(app.auth.accessToken(request, { forceRefresh: true }))).value)
  assert.deepEqual(app.provider.reused, [])
})

it('does a sign-out later that spares who signed in since they were told of the failure, however late the store tells the time', async (t) => {
  const app = await startBlind(t)
  const before = app.as(await app.signedIn(U1))
  app.clock.forward(1_000)
  app.store.fault = () => 'refused'
  assert.deepEqual(await app.end(told(app.auth.signOut({ subject: 'U1' }))), {
    code: 'store_unavailable',
  })
  app.store.fault = undefined
  app.clock.forward(100)
  const since = app.as(await app.signedIn({ sub: 'U1', sid: 'S2' }))
  let isFirst = true
  app.store.fault = (operation) => {
    if (operation !== 'now' || !isFirst) return undefined
    isFirst = false
    return { after: 1_500 }
  }
  await app.pass(8_000)
  assert.equal(isFirst, false)
  assert.equal(await app.auth.session(before), undefined)
  assert.equal((await app.auth.session(since))?.subject, 'U1')
})

/** A failure, however it is told. */
async function told(work: Promise<unknown>): Promise<{ code: unknown }> {
  try {
    await work
    return { code: 'none' }
  } catch (error) {
    return { code: (error as { code?: unknown }).code }
  }
}

async function assertBlind(
  answer: Response | { code: unknown },
  code: string,
  status = 503,
): Promise<void> {
  if (!(answer instanceof Response)) return assert.deepEqual(answer, { code })
  assert.equal(answer.status, status)
  assertNotStored(answer)
  assert.deepEqual(answer.headers.getSetCookie(), [])
  assert.equal(answer.headers.get('location'), null)
  const text = await answer.text()
  assert.equal(text.includes(ACT), false)
  assert.equal(text.includes('"authenticated"'), false)
}
