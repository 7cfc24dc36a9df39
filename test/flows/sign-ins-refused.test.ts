import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { TokenStore } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { memoryStore } from '#coatcheck/stores/memory'
import {
  type Application,
  KEY,
  settle,
  startClock,
  startTestProvider,
} from '../support/application.ts'
import { faultyStore } from '../support/faulty-store.ts'
import {
  arriving,
  ask,
  assertSignInWorks,
  eventually,
  failures,
  start,
} from '../support/requests.ts'
import { type TamperingStore, tamperingStore } from '../support/tampering-store.ts'

const MINUTE = 60_000

/** An application, and a look into its store. */
async function startWatched(t: TestContext): Promise<{ app: Application; store: TamperingStore }> {
  const clock = startClock()
  const store = tamperingStore(clock.now)
  return { app: await start(t, { store, given: { clock } }), store }
}

/** What the provider gave for a sign-in that was refused is nobody's. */
async function assertNothingLeft(app: Application, store: TamperingStore): Promise<void> {
  assert.deepEqual(store.ids('s.'), [])
  await eventually(() => app.provider.liveRefreshTokens().length === 0, 'revoked')
  await settle()
  assert.deepEqual(store.ids('w.'), [])
  assert.deepEqual(app.heard('worker_failed'), [])
}

describe('refusing the sign-ins under way', () => {
  it('refuses one that is at the provider: no cookie, nothing in the store, tokens revoked', async (t) => {
    const { app, store } = await startWatched(t)
    const { path, cookie } = await arriving(app)
    await app.auth.refuseSignInsUnderWay()
    const answer = await ask(app, path, { cookie })
    assert.equal(answer.status, 400)
    assert.ok(answer.headers.getSetCookie().every((line) => line.includes('Max-Age=0')))
    assert.deepEqual(failures(app), ['signed_out_meanwhile'])
    assert.deepEqual(app.heard('signed_in'), [])
    assert.deepEqual(
      app.heard('signed_out').map(({ receipt }) => [receipt.cause, receipt.removed]),
      [['administrator', 1]],
    )
    await assertNothingLeft(app, store)
    assert.equal((await ask(app, path, { cookie })).status, 400, 'it comes a second time')
  })

  it('refuses one whose code is being exchanged at that time', async (t) => {
    const { app, store } = await startWatched(t)
    const { path, cookie } = await arriving(app)
    const hold = app.provider.hold('token')
    const answer = ask(app, path, { cookie })
    await hold.received()
    await app.another().refuseSignInsUnderWay()
    hold.release()
    assert.equal((await answer).status, 400)
    await assertNothingLeft(app, store)
  })

  it('blocks nobody who begins a moment later, and ends nobody who is signed in', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn()
    await app.auth.refuseSignInsUnderWay()
    app.clock.forward(1)
    await assertSignInWorks(app)
    assert.ok(await app.auth.session(app.as(browser)))
    assert.deepEqual(failures(app), [])
  })

  it('leaves the browser the session that it had', async (t) => {
    const { app } = await startWatched(t)
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    const { cookie } = app.as(browser).headers
    const again = await arriving(app, '', { cookie })
    await app.auth.refuseSignInsUnderWay()
    assert.equal((await ask(app, again.path, { cookie: again.cookie })).status, 400)
    assert.equal((await app.auth.session({ headers: { cookie } }))?.subject, 'U1')
  })

  it('refuses as far as the last time, however often and in whatever process', async (t) => {
    const { app, store } = await startWatched(t)
    const processes = [app.auth, app.another(), app.another()]
    const first = await arriving(app)
    await Promise.all(processes.map((auth) => auth.refuseSignInsUnderWay()))
    app.clock.forward(1000)
    const second = await arriving(app)
    await Promise.all(processes.map((auth) => auth.refuseSignInsUnderWay()))
    app.clock.forward(1)
    for (const { path, cookie } of [first, second]) {
      assert.equal((await ask(app, path, { cookie, auth: app.another() })).status, 400)
    }
    assert.equal(store.ids('n.').length, 1)
    await assertNothingLeft(app, store)
    await assertSignInWorks(app)
  })

  it('never takes back what was refused, though the store is told an earlier time', async (t) => {
    const clock = startClock()
    const kept = memoryStore({ now: clock.now })
    let behind = 0
    const store = { ...kept, now: async () => (await kept.now()) - behind }
    const app = await start(t, { store, given: { clock } })
    const { path, cookie } = await arriving(app)
    await app.auth.refuseSignInsUnderWay()
    behind = MINUTE
    await app.auth.refuseSignInsUnderWay()
    assert.equal((await ask(app, path, { cookie })).status, 400)
  })

  it('goes by the clock of the store, whatever the clocks of the processes say', async (t) => {
    const { app, store } = await startWatched(t)
    const clocked = (by: number) =>
      app.another({ [environment]: { now: () => app.clock.now() + by } })
    for (const [begins, refuses, by] of [
      [-MINUTE, MINUTE, 'the one that is ahead'],
      [MINUTE, -MINUTE, 'the one that is behind'],
    ] as const) {
      const [one, other] = [clocked(begins), clocked(refuses)]
      const before = await arriving(app, '', { auth: one })
      await other.refuseSignInsUnderWay()
      app.clock.forward(1)
      const after = await arriving(app, '', { auth: one })
      const come = async ({ path, cookie }: typeof after): Promise<number> =>
        (await ask(app, path, { cookie, auth: one })).status
      assert.deepEqual([await come(before), await come(after)], [400, 303], by)
      assert.equal(store.ids('s.').length, 1)
      await app.auth.signOut({ subject: 'U1' })
      app.clock.forward(1)
    }
  })

  it('is still known while keys are rotated, both ways', async (t) => {
    const NEXT = `${KEY}, the next one`
    const { app, store } = await startWatched(t)
    const { path, cookie } = await arriving(app)
    const another = await arriving(app)
    await app.auth.refuseSignInsUnderWay()
    // The older key is retired: what it sealed is read all the same.
    const rotating = app.another({ keys: [NEXT, KEY] })
    assert.ok(await rotating.sessions({ subject: 'U1' }))
    const rotated = app.another({ keys: [NEXT] })
    assert.equal((await ask(app, path, { cookie, auth: rotated })).status, 400)

    // Sealed anew by a key that was made since another process last looked.
    const third = app.another({ keys: [`${NEXT}, and one more`, NEXT] })
    const waiting = await arriving(app, '', { auth: rotated })
    await third.refuseSignInsUnderWay()
    for (const one of [another, waiting]) {
      assert.equal((await ask(app, one.path, { cookie: one.cookie, auth: rotated })).status, 400)
    }
    await assertNothingLeft(app, store)
    app.clock.forward(1)
    await assertSignInWorks(app, rotated)
  })

  it('is nothing to another client or another provider in the same store', async (t) => {
    const clock = startClock()
    const app = await start(t, { given: { clock } })
    const elsewhere = await start(t, {
      store: app.store,
      given: { clock, provider: await startTestProvider(clock) },
    })
    app.provider.register({ client_id: 'second', client_secret: 'a secret', origin: app.origin })
    const { issuer } = app.provider
    const second = app.another({
      provider: { issuer, clientId: 'second', clientSecret: 'a secret' },
    })
    const there = await arriving(elsewhere)
    const beside = await arriving(app, '', { auth: second })
    const here = await arriving(app)
    await app.auth.refuseSignInsUnderWay()
    assert.equal((await ask(elsewhere, there.path, { cookie: there.cookie })).status, 303)
    const besides = { cookie: beside.cookie, auth: second }
    assert.equal((await ask(app, beside.path, besides)).status, 303)
    assert.equal((await ask(app, here.path, { cookie: here.cookie })).status, 400)
  })

  it('is over for the store when no sign-in or session of that time can live', async (t) => {
    const { app, store } = await startWatched(t)
    await app.auth.refuseSignInsUnderWay()
    app.clock.forward(10 * MINUTE)
    assert.equal(store.ids('n.').length, 1)
    app.clock.forward(400 * 24 * 60 * MINUTE)
    assert.equal(store.ids('n.').length, 0)
    await assertSignInWorks(app)
  })
})

describe('a refusal of sign-ins in a store that fails', () => {
  it('rejects where it was not written, and refuses when it is called again', async (t) => {
    const clock = startClock()
    const store = faultyStore(memoryStore({ now: clock.now }), clock)
    const app = await start(t, { store, given: { clock } })
    const { path, cookie } = await arriving(app)
    for (const operation of ['now', 'get', 'insert'] as const) {
      store.fault = (called, _, id) =>
        called === operation && (called === 'now' || String(id).startsWith('n.'))
          ? 'refused'
          : undefined
      const rejected = { code: 'store_unavailable' }
      await assert.rejects(app.auth.refuseSignInsUnderWay(), rejected, operation)
    }
    store.fault = undefined
    await app.auth.refuseSignInsUnderWay()
    assert.equal((await ask(app, path, { cookie })).status, 400)
  })

  it('takes back a sign-in that nobody can tell whether it was refused', async (t) => {
    const clock = startClock()
    const inner = tamperingStore(clock.now)
    const store = faultyStore(inner, clock)
    const app = await start(t, { store, given: { clock } })
    const { path, cookie } = await arriving(app)
    store.fault = (operation, _, id) =>
      operation === 'get' && String(id).startsWith('n.') ? 'refused' : undefined
    assert.equal((await ask(app, path, { cookie })).status, 503)
    store.fault = undefined
    await eventually(() => app.provider.liveRefreshTokens().length === 0, 'taken back')
    assert.deepEqual(app.heard('signed_in'), [])
    assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
  })

  for (const fault of ['refused', 'refused though done'] as const) {
    it(`takes back one that it refused and could not end: ${fault}`, async (t) => {
      const clock = startClock()
      const store = faultyStore(memoryStore({ now: clock.now }), clock)
      const app = await start(t, { store, given: { clock } })
      const { path, cookie } = await arriving(app)
      await app.auth.refuseSignInsUnderWay()
      store.fault = (operation, _, id) =>
        operation === 'remove' && String(id).startsWith('s.') ? fault : undefined
      assert.equal((await ask(app, path, { cookie })).status, 503)
      store.fault = undefined
      await eventually(() => app.provider.liveRefreshTokens().length === 0, 'taken back')
      assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
    })
  }

  const spoilt: [string, (value: Uint8Array) => Uint8Array][] = [
    ['is empty', () => new Uint8Array()],
    ['was changed', (value) => value.map((byte, at) => (at === 30 ? byte ^ 1 : byte))],
    [
      'has a key that nobody knows',
      (value) => value.map((byte, at) => (at === 3 ? byte ^ 1 : byte)),
    ],
  ]
  for (const [title, change] of spoilt) {
    it(`refuses whoever is under way where the record ${title}, and nobody after`, async (t) => {
      const { app, store } = await startWatched(t)
      const one = await arriving(app)
      const other = await arriving(app)
      await app.auth.refuseSignInsUnderWay()
      await store.spoil(store.ids('n.')[0] ?? assert.fail(), change)
      for (const { path, cookie } of [one, other]) {
        assert.equal((await ask(app, path, { cookie })).status, 400)
      }
      await assertNothingLeft(app, store)
      app.clock.forward(1)
      await assertSignInWorks(app)
    })
  }

  it('is never more than one record, nor another session than its own that is ended', async (t) => {
    const written: string[] = []
    const clock = startClock()
    const inner = memoryStore({ now: clock.now })
    const store: TokenStore = {
      ...inner,
      insert(id, record) {
        written.push(id)
        return inner.insert(id, record)
      },
    }
    const app = await start(t, { store, given: { clock } })
    const kept = await app.signedIn({ sub: 'U1', sid: 'S1' })
    const { path, cookie } = await arriving(app)
    await app.auth.refuseSignInsUnderWay()
    app.clock.forward(5)
    await app.auth.refuseSignInsUnderWay()
    assert.equal((await ask(app, path, { cookie })).status, 400)
    assert.equal(written.filter((id) => id.startsWith('n.')).length, 1)
    assert.ok(await app.auth.session(app.as(kept)))
  })
})
