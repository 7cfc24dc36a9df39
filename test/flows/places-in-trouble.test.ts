import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Auth, type AuthOptions, createAuth, type TokenStore } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { KEY, settle } from '../support/application.ts'
import { type BlindApplication, startBlind } from '../support/blind.ts'
import { forever, type TestPlace, testPlace } from '../support/place.ts'

const U1 = { sub: 'U1', sid: 'S1' }
const U2 = { sub: 'U2', sid: 'S2' }
const LIMIT = 3_000
const DAY = 24 * 3_600_000

const refuse = (): Promise<never> => Promise.reject(new Error('No.'))

interface Trial extends BlindApplication {
  readonly place: TestPlace
  /** `done 1`: how each attempt ended, and which it was. */
  readonly outcomes: () => string[]
  /** How long a sign-out of this subject took to be answered, and what its receipt says of the place. */
  readonly signOut: (subject: string) => Promise<{ took: number; outcome: string | undefined }>
}

async function start(t: TestContext, options: Partial<AuthOptions> = {}): Promise<Trial> {
  const place = testPlace()
  const app = await startBlind(t, { places: [place], ...options })
  t.after(() => {
    place.behave = async () => 1
  })
  return {
    ...app,
    place,
    outcomes: () => app.heard('place').map(({ outcome, attempts }) => `${outcome} ${attempts}`),
    async signOut(subject) {
      const from = app.clock.now()
      const { places } = await app.end(app.auth.signOut({ subject }))
      return { took: app.clock.now() - from, outcome: places[0]?.outcome }
    },
  }
}

/** A process that is no more when the store has done so many of its calls. */
function dyingAfter(
  calls: number,
  { origin, provider, place, store, clock }: Trial,
): { readonly auth: Auth; readonly hasDied: () => boolean } {
  let left = calls
  const dying = new Proxy<TokenStore>(store, {
    get:
      (target, name: keyof TokenStore) =>
      async (...given: readonly never[]): Promise<unknown> => {
        if (left === 0) return forever()
        left -= 1
        const work = target[name] as (...all: readonly never[]) => unknown
        const answer = await work(...given)
        return left === 0 ? forever() : answer
      },
  })
  const [client] = provider.clients.values()
  // Nobody closes it: it is dead.
  const auth = createAuth({
    origin,
    keys: [KEY],
    store: dying,
    places: [place],
    provider: {
      issuer: provider.issuer,
      clientId: client?.client_id ?? '',
      clientSecret: client?.client_secret ?? '',
    },
    [environment]: { now: clock.now, fetch: provider.fetch, wait: forever },
  })
  return { auth, hasDied: () => left === 0 }
}

describe('a sign-out with a place', () => {
  const TROUBLE: Readonly<Record<string, TestPlace['behave']>> = {
    'that rejects': refuse,
    'that throws at once': () => {
      throw new Error('No.')
    },
    'that hangs': forever,
    'that fails when nobody waits any longer': (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  }
  for (const [which, behave] of Object.entries(TROUBLE)) {
    it(`${which} is answered in time, done otherwise, and told until the place succeeds`, async (t) => {
      const app = await start(t)
      app.place.behave = behave
      const request = app.as(await app.signedIn(U1))
      const { took, outcome } = await app.signOut('U1')
      assert.ok(took <= LIMIT + 250, `answered after ${took} ms`)
      assert.equal(outcome, 'owed')
      assert.deepEqual(app.outcomes(), ['failed 1'])
      assert.equal(await app.auth.session(request), undefined)
      const [first] = app.place.told
      app.place.behave = async () => 1
      await app.pass(5_000)
      assert.deepEqual(app.outcomes(), ['failed 1', 'done 2'])
      assert.deepEqual(app.place.told, [first, first])
      await app.pass(60_000)
      assert.equal(app.place.told.length, 2)
    })
  }

  it('that is slow is answered in time, and the place has longer when nobody waits', async (t) => {
    const app = await start(t)
    app.place.behave = async () => {
      await app.clock.wait(20_000)
      return 1
    }
    await app.signedIn(U1)
    const { took, outcome } = await app.signOut('U1')
    assert.ok(took <= LIMIT + 250, `answered after ${took} ms`)
    assert.equal(outcome, 'owed')
    assert.equal(app.place.signals[0]?.aborted, true)
    await app.pass(30_000)
    assert.deepEqual(app.outcomes(), ['failed 1', 'done 2'])
    assert.equal(app.place.signals[1]?.aborted, false)
  })

  it('that hangs holds up no other sign-out, also of those that wait for the store', async (t) => {
    const app = await start(t)
    app.place.behave = forever
    const requests = []
    for (let count = 0; count < 20; count += 1) {
      requests.push(app.as(await app.signedIn({ sub: `U${count}`, sid: `S${count}` })))
    }
    app.store.fault = (operation) => (operation === 'removeAll' ? 'refused' : undefined)
    for (let count = 0; count < 20; count += 1) {
      const refused = app.auth.signOut({ subject: `U${count}` })
      await assert.rejects(app.end(refused), { code: 'store_unavailable' })
    }
    app.store.fault = undefined
    await app.pass(6_000)
    for (const request of requests) assert.equal(await app.auth.session(request), undefined)
    assert.equal(app.heard('signed_out').length, 20)
    app.place.behave = async () => 1
    await app.pass(60_000)
    assert.equal(app.heard('place').filter(({ outcome }) => outcome === 'done').length, 20)
  })

  it('that hangs does not keep another place waiting, nor the provider', async (t) => {
    const [hanging, quick] = [testPlace('hanging'), testPlace('quick')]
    hanging.behave = forever
    const app = await start(t, { places: [hanging, quick] })
    await app.signedIn(U1)
    const signedOut = app.auth.signOut({ subject: 'U1' })
    await settle()
    assert.deepEqual(app.provider.liveRefreshTokens(), [])
    assert.equal(quick.told.length, 1)
    assert.deepEqual(app.heard('signed_out'), [])
    const { places } = await app.end(signedOut)
    assert.deepEqual(
      places.map(({ outcome }) => outcome),
      ['owed', 'done'],
    )
    // With one that fails for hours already.
    await app.pass(120_000)
    await app.signedIn(U2)
    quick.behave = refuse
    await app.end(app.auth.signOut({ subject: 'U2' }))
    quick.behave = async () => 1
    await app.pass(5_000)
    assert.deepEqual(
      app
        .heard('place')
        .filter(({ place }) => place === 'quick')
        .map(({ outcome, attempts }) => `${outcome} ${attempts}`),
      ['done 1', 'failed 1', 'failed 2', 'done 3'],
    )
  })

  it('is told all the same where the provider is down', async (t) => {
    const app = await start(t)
    app.provider.next('revocation', { wire: 'drop' }, { times: Infinity })
    await app.signedIn(U1)
    const { outcome } = await app.signOut('U1')
    assert.equal(outcome, 'done')
    app.provider.forget()
  })

  it('tells the place of another that lands while it is being told of the first', async (t) => {
    const app = await start(t)
    let free = (): void => {}
    app.place.behave = () =>
      new Promise((resolve) => {
        free = () => resolve(1)
      })
    await app.signedIn(U1)
    await app.signedIn({ ...U1, sid: 'S9' })
    const first = app.auth.signOut({ sid: 'S1' })
    await settle()
    app.place.behave = async () => 2
    const second = await app.end(app.auth.signOut({ subject: 'U1' }))
    free()
    assert.deepEqual(
      [await app.end(first), second].map(({ removed, places }) => [removed, places[0]?.removed]),
      [
        [1, 1],
        [1, 2],
      ],
    )
    assert.deepEqual(
      app.place.told.map(({ sessions }) => sessions.map(({ sid }) => sid)),
      [['S1'], ['S9']],
    )
  })

  it('is finished by another process, wherever the first dies on the way [INV-15]', async (t) => {
    let unfinished = 0
    for (let calls = 1; ; calls += 1) {
      const app = await start(t)
      await app.signedIn(U1)
      const { auth, hasDied } = dyingAfter(calls, app)
      let isAnswered = false
      void auth.signOut({ subject: 'U1' }).then(() => {
        isAnswered = true
      })
      await app.pass(1_000)
      if (!hasDied()) {
        assert.equal(isAnswered, true)
        break
      }
      const isGone = (await app.auth.sessions({ subject: 'U1' })).length === 0
      if (isGone && app.place.told.length === 0) unfinished += 1
      for (let round = 0; round < 10; round += 1) {
        app.clock.forward(15_000)
        await settle()
      }
      const where = `after ${calls} calls`
      // Nobody heard what the dead one saw of it.
      assert.deepEqual([...new Set(app.outcomes())], app.outcomes().length > 0 ? ['done 1'] : [])
      assert.equal(app.place.told.length > 0, isGone, where)
      const subjects = app.place.told.flatMap(({ sessions }) => sessions.map((one) => one.subject))
      assert.deepEqual(new Set(subjects), new Set(isGone ? ['U1'] : []), where)
    }
    assert.ok(unfinished > 0, 'none died between removal and place')
    t.diagnostic(`${unfinished} deaths between removal and place`)
  })

  it('tells it once, with several workers', async (t) => {
    const app = await start(t)
    app.another()
    app.another()
    app.place.behave = refuse
    await app.signedIn(U1)
    await app.signOut('U1')
    app.place.behave = async () => {
      await app.clock.wait(10_000)
      return 1
    }
    await app.pass(30_000)
    assert.deepEqual(app.outcomes(), ['failed 1', 'done 2'])
  })

  it('is told again after growing pauses, for a day, and then the alarm sounds [TOK-9]', async (t) => {
    const app = await start(t)
    app.place.behave = refuse
    await app.signedIn(U1)
    await app.signOut('U1')
    const asked: number[] = []
    for (const minutes of [1, 10, 60]) {
      for (let second = 0; second < 60; second += 1) {
        app.clock.forward(minutes * 1_000)
        await settle()
      }
      asked.push(app.place.told.length)
    }
    const [first = 0, second = 0, third = 0] = asked
    assert.ok(first >= 5 && first <= 7, `${first} in a minute`)
    assert.ok(second - first <= 5, `${second - first} in ten more`)
    assert.ok(third - second <= 13, `${third - second} in an hour`)
    for (let hour = 0; hour < 25; hour += 1) {
      app.clock.forward(3_600_000)
      await settle()
    }
    assert.match(app.outcomes().at(-1) ?? '', /^abandoned/)
    const before = app.place.told.length
    await app.pass(600_000)
    assert.equal(app.place.told.length, before)
    assert.equal(app.heard('place').filter(({ outcome }) => outcome === 'abandoned').length, 1)
  })

  it('sounds the alarm too where no process declares the place any longer', async (t) => {
    const app = await start(t)
    app.place.behave = refuse
    await app.signedIn(U1)
    await app.signOut('U1')
    await app.end(app.auth.close())
    app.another({ places: [testPlace('a-new-one')] })
    app.clock.forward(DAY + 2 * 3_600_000)
    await app.pass(61_000)
    assert.match(app.outcomes().at(-1) ?? '', /^abandoned/)
    assert.equal(app.heard('place').at(-1)?.place, 'other-cache')
  })

  it('that a process is telling as it ends is told by the next', async (t) => {
    const app = await start(t)
    app.place.behave = refuse
    await app.signedIn(U1)
    await app.signOut('U1')
    app.place.behave = forever
    await app.pass(2_000)
    const from = app.clock.now()
    await app.end(app.auth.close())
    assert.ok(app.clock.now() - from <= 1_000)
    assert.deepEqual(app.outcomes(), ['failed 1', 'failed 2'])
    app.place.behave = async () => 1
    app.another()
    await app.pass(10_000)
    assert.equal(app.outcomes().at(-1), 'done 3')
  })

  it('is answered although the store is away once it has removed, and the place told', async (t) => {
    const app = await start(t)
    await app.signedIn(U1)
    app.store.fault = (operation) => (operation === 'remove' ? 'refused' : undefined)
    const { outcome } = await app.signOut('U1')
    assert.equal(outcome, 'owed')
    assert.deepEqual(app.outcomes(), ['done 1'])
    app.store.fault = undefined
    await app.pass(15_000)
    // It does no harm the second time.
    assert.deepEqual(app.outcomes(), ['done 1', 'done 1'])
  })
})
