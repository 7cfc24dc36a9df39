import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Ended, SignOutReceipt } from '#coatcheck'
import type { TestBrowser } from '#coatcheck/testing/browser'
import { settle, startApplication, startTestProvider } from '../support/application.ts'
import { type BlindApplication, startBlind } from '../support/blind.ts'
import { type TestPlace, testPlace } from '../support/place.ts'
import { eventually } from '../support/requests.ts'

const U1 = { sub: 'U1', sid: 'S1' }
const IDLE = 600
const REVALIDATE = 300

async function start(
  t: TestContext,
  ...places: readonly TestPlace[]
): Promise<BlindApplication & { readonly receipt: () => SignOutReceipt | undefined }> {
  const app = await startBlind(t, {
    places,
    session: { idleSeconds: IDLE, revalidateSeconds: REVALIDATE },
  })
  return { ...app, receipt: () => app.heard('signed_out').at(-1)?.receipt }
}

/** Every way in which a session ends. */
const CAUSES: Readonly<
  Record<string, (app: BlindApplication, browser: TestBrowser) => Promise<unknown>>
> = {
  user: (app, browser) => browser.post(`${app.origin}/auth/sign-out`, {}, { follow: false }),
  back_channel: async (app) => app.logout(await app.provider.logoutToken({ session: U1 })),
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

describe('a place of the application', () => {
  for (const [cause, signOut] of Object.entries(CAUSES)) {
    it(`is told whose session is over before a sign-out is answered: ${cause}`, async (t) => {
      const place = testPlace()
      const app = await start(t, place)
      const browser = await app.signedIn(U1)
      const session = await app.auth.session(app.as(browser))
      app.clock.forward(1000)
      await app.end(signOut(app, browser))
      assert.equal(place.told.length, 1)
      const [ended] = place.told
      assert.equal(ended?.cause, cause)
      assert.equal(ended?.receipt, app.receipt()?.id)
      const { issuer, subject, handle, claims } = session ?? assert.fail()
      assert.deepEqual(ended?.sessions, [{ issuer, subject, handle, claims, sid: 'S1' }])
      assert.deepEqual(app.receipt()?.places, [
        { name: 'other-cache', outcome: 'done', removed: 1 },
      ])
      await app.pass(60_000)
      assert.equal(place.told.length, 1, 'told again')
    })
  }

  it('is told of one of which nobody could be asked whether it still stands', async (t) => {
    const place = testPlace()
    const app = await start(t, place)
    app.provider.next('token', ({ json }) => {
      delete json['refresh_token']
    })
    const request = app.as(await app.signedIn(U1))
    app.clock.forward(REVALIDATE * 1000)
    assert.equal(await app.end(app.auth.session(request)), undefined)
    assert.deepEqual(
      place.told.map(({ cause }) => cause),
      ['not_revalidated'],
    )
    assert.equal(app.receipt()?.places[0]?.outcome, 'done')
  })

  it('is told of sessions that ended by time when nobody came back, many at once', async (t) => {
    const place = testPlace()
    const app = await start(t, place)
    for (let count = 0; count < 70; count += 1) await app.signedIn({ sub: `U${count}`, sid: 'S' })
    app.clock.forward(IDLE * 1000 + 60_000)
    await app.pass(1_000)
    assert.equal(app.receipt()?.cause, 'expired')
    const subjects = place.told.flatMap(({ sessions }) => sessions.map(({ subject }) => subject))
    assert.equal(new Set(subjects).size, 70)
    assert.equal(subjects.length, 70)
    assert.equal(place.told.length, 2)
    assert.ok(place.told.every(({ cause }) => cause === 'expired'))
  })

  it('is told of a user’s many sessions in a few calls, each session once', async (t) => {
    const place = testPlace()
    place.behave = async ({ sessions }) => sessions.length
    const app = await start(t, place)
    for (let count = 0; count < 150; count += 1) await app.signedIn({ sub: 'U1', sid: `S${count}` })
    const { places, removed } = await app.end(app.auth.signOut({ subject: 'U1' }))
    assert.equal(removed, 150)
    assert.deepEqual(places, [{ name: 'other-cache', outcome: 'done', removed: 150 }])
    const handles = place.told.flatMap(({ sessions }) => sessions.map(({ handle }) => handle))
    assert.equal(new Set(handles).size, 150)
    assert.equal(handles.length, 150)
    assert.ok(place.told.length <= 2, `${place.told.length} calls`)
  })

  it('is told of whom a sign-out named, although the store holds nothing of them', async (t) => {
    const place = testPlace()
    place.behave = async () => 0
    const app = await start(t, place)
    const { issuer } = app.provider
    const ways: readonly [() => Promise<unknown>, Ended['named']][] = [
      [() => app.auth.signOut({ subject: 'U8' }), [{ issuer, subject: 'U8' }]],
      [() => app.auth.signOut({ sid: 'S8' }), [{ issuer, sid: 'S8' }]],
      [
        async () =>
          app.logout(await app.provider.logoutToken({ session: { sub: 'U9', sid: 'S9' } })),
        [{ issuer, sid: 'S9', subject: 'U9' }],
      ],
      [
        () => CAUSES['front_channel']?.(app, app.browser()) ?? assert.fail(),
        [{ issuer, sid: 'S1' }],
      ],
    ]
    for (const [signOut, named] of ways) {
      await app.end(signOut())
      const ended = place.told.at(-1)
      assert.deepEqual(ended?.named, named)
      assert.deepEqual(ended?.sessions, [])
      assert.deepEqual(app.receipt()?.places, [
        { name: 'other-cache', outcome: 'done', removed: 0 },
      ])
    }
    assert.equal(place.told.length, ways.length)
  })

  it('is left alone by a sign-out that names nobody', async (t) => {
    const place = testPlace()
    const app = await start(t, place)
    await app.end(app.browser().post(`${app.origin}/auth/sign-out`, {}, { follow: false }))
    const receipt = await app.end(app.auth.signOut({ session: 'A'.repeat(43) }))
    assert.deepEqual(receipt.places, [])
    assert.deepEqual(place.told, [])
  })

  it('is left alone when somebody else signs out', async (t) => {
    const place = testPlace()
    const app = await start(t, place)
    await app.signedIn(U1)
    await app.signedIn({ sub: 'U2', sid: 'S2' })
    await app.end(app.auth.signOut({ subject: 'U2' }))
    assert.deepEqual(
      place.told.map(({ sessions }) => sessions.map(({ subject }) => subject)),
      [['U2']],
    )
  })

  it('does not hear of sessions of another application in the same store', async (t) => {
    const place = testPlace()
    const ours = await start(t, place)
    const { clock, store } = ours
    const provider = await startTestProvider(clock)
    const theirs = await startApplication({ store, given: { provider, clock } })
    await theirs.signedIn(U1)
    await theirs.close()
    await ours.signedIn({ sub: 'U2', sid: 'S2' })
    clock.forward(12 * 3_600_000)
    await ours.pass(1_000)
    assert.equal(ours.receipt()?.removed, 2)
    const subjects = place.told.flatMap(({ sessions }) => sessions.map(({ subject }) => subject))
    assert.deepEqual(subjects, ['U2'])
  })

  it('is told while others are, and each has its outcome', async (t) => {
    const [one, two, three] = [testPlace('one'), testPlace('two'), testPlace('three')]
    one.behave = async () => {
      await eventually(() => two.told.length > 0, 'the other is told')
      return 5
    }
    two.behave = async () => undefined
    three.behave = () => Promise.reject(new Error('No.'))
    const app = await start(t, one, two, three)
    await app.signedIn(U1)
    const { places } = await app.end(app.auth.signOut({ subject: 'U1' }))
    assert.deepEqual(places, [
      { name: 'one', outcome: 'done', removed: 5 },
      { name: 'two', outcome: 'done', removed: undefined },
      { name: 'three', outcome: 'owed', removed: undefined },
    ])
  })

  it('is told by no event who it was, nor does what it throws or answers get into one', async (t) => {
    const place = testPlace('mail-cache')
    const name = 'Alice of the secret garden'
    place.behave = async ({ sessions }) => {
      throw new Error(`No entry of ${JSON.stringify(sessions)}`)
    }
    const app = await start(t, place)
    app.provider.users.set('U7', { sub: 'U7', sid: 'S7', claims: { name } })
    await app.signedIn({ sub: 'U7', sid: 'S7' })
    await app.end(app.auth.signOut({ subject: 'U7' }))
    place.behave = async () => name as unknown as number
    await app.pass(5_000)
    const events = app.heard('place')
    const { id: receipt } = app.receipt() ?? assert.fail()
    assert.deepEqual(events, [
      {
        type: 'place',
        receipt,
        place: 'mail-cache',
        outcome: 'failed',
        attempts: 1,
        removed: undefined,
      },
      {
        type: 'place',
        receipt,
        place: 'mail-cache',
        outcome: 'done',
        attempts: 2,
        removed: undefined,
      },
    ])
    assert.doesNotMatch(JSON.stringify(app.events), /garden|"U7"|"S7"/)
  })

  it('costs nothing where none is declared', async (t) => {
    const calls = async (...places: readonly TestPlace[]): Promise<readonly string[]> => {
      const app = await start(t, ...places)
      await app.signedIn(U1)
      await settle()
      app.store.fault = undefined
      await app.end(app.auth.signOut({ subject: 'U1' }))
      assert.equal(app.receipt()?.places.length, places.length)
      return [...app.store.calls]
    }
    const claims = (all: readonly string[]): number => all.filter((call) => call === 'claim').length
    // One is the revocation's.
    assert.equal(claims(await calls()), 1)
    assert.equal(claims(await calls(testPlace())), 2)
  })
})

describe('createAuth refuses, and says what to write, for places', () => {
  const good = testPlace()
  const bad: readonly [string, unknown, RegExp][] = [
    ['that are no list', good, /`places` must be a list, such as/],
    ['without a name', [{ end: good.end }], /`places\[0\]\.name` must be lower-case letters/],
    ['whose name is not plain', [{ ...good, name: 'My cache' }], /`places\[0\]\.name` must be/],
    ['of one name', [good, testPlace()], /`places\[1\]\.name` is "other-cache", as that of an/],
    ['that do nothing', [{ name: 'one' }], /`places\[0\]\.end` must be a function/],
    ['that are nothing', [undefined], /`places\[0\]\.name` must be/],
  ]
  for (const [what, places, message] of bad) {
    it(what, async (t) => {
      const app = await startBlind(t)
      const given = { places: places as readonly TestPlace[] }
      assert.throws(() => app.another(given), { name: 'TypeError', message })
    })
  }
})
