import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Auth, createAuth, type TokenStore } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import type { RemovalStep } from '#coatcheck/core/tokens/store'
import { seedSessions } from '../processes/seed.ts'
import { KEY, settle } from '../support/application.ts'
import { forever, type Placed, refuse, startPlaced, testPlace } from '../support/place.ts'

const U1 = { sub: 'U1', sid: 'S1' }
const DAY = 24 * 3_600_000

describe('what a sign-out owes a place', () => {
  it('is told by another process, wherever the first dies on the way [INV-15]', async (t) => {
    let unfinished = 0
    for (let calls = 1; ; calls += 1) {
      const app = await startPlaced(t)
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

  it('is not told of the user again, who may be back by then, where a removal is only finished for who died', async (t) => {
    const app = await startPlaced(t)
    const names = Array.from({ length: 100 }, (_, at) => `${at}`)
    await seedSessions(app.store, app.provider.issuer, 'U1', names)
    let isGone = false
    const { auth } = dyingOnce(app, 'removeAll', async (step) => {
      isGone = !(step as RemovalStep).more
      return isGone
    })
    void auth.signOut({ subject: 'U1' })
    await app.pass(1_000)
    assert.equal(isGone, true)
    await app.pass(45_000)
    const told = app.place.told.map(({ sessions }) => sessions.length)
    assert.ok(!told.includes(0), `told of ${told} sessions`)
    assert.equal(
      told.reduce((all, some) => all + some),
      names.length,
    )
    assert.deepEqual(new Set(app.outcomes()), new Set(['done 1']))
  })

  it('is whom a sign-out named, also where it is done later for want of the store', async (t) => {
    const app = await startPlaced(t)
    app.store.fault = (operation) => (operation === 'removeAll' ? 'refused' : undefined)
    const refused = app.auth.signOut({ subject: 'U9' })
    await assert.rejects(app.end(refused), { code: 'store_unavailable' })
    app.store.fault = undefined
    await app.pass(10_000)
    assert.deepEqual(
      app.place.told.map(({ named, sessions }) => [named, sessions]),
      [[[{ issuer: app.provider.issuer, subject: 'U9' }], []]],
    )
  })

  it('is told once, with several workers', async (t) => {
    const app = await startPlaced(t)
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

  it('is tried again after growing pauses, for a day, and then the alarm sounds [TOK-9]', async (t) => {
    const app = await startPlaced(t)
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

  it('sounds the alarm where no process declares the place any longer', async (t) => {
    const app = await startPlaced(t)
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

  it('is told by the next process where one ends in the middle of it', async (t) => {
    const app = await startPlaced(t)
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

  it('stays owed where the store is away once the place was told, and the sign-out is answered', async (t) => {
    const app = await startPlaced(t)
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

/** A process that is no more when the store has done so many of its calls. */
function dyingAfter(
  calls: number,
  app: Placed,
): { readonly auth: Auth; readonly hasDied: () => boolean } {
  let left = calls
  const auth = dying(app, async (_, work) => {
    if (left === 0) return forever()
    left -= 1
    const answer = await work()
    return left === 0 ? forever() : answer
  })
  return { auth, hasDied: () => left === 0 }
}

/** One that is no more when a call of this operation was answered by what `isLast` knows. */
function dyingOnce(
  app: Placed,
  operation: keyof TokenStore,
  isLast: (answer: unknown) => Promise<boolean>,
): { readonly auth: Auth } {
  let isDead = false
  const auth = dying(app, async (name, work) => {
    if (isDead) return forever()
    const answer = await work()
    isDead ||= name === operation && (await isLast(answer))
    return isDead ? forever() : answer
  })
  return { auth }
}

function dying(
  { origin, provider, place, store, clock }: Placed,
  call: (operation: keyof TokenStore, work: () => unknown) => Promise<unknown>,
): Auth {
  const [client] = provider.clients.values()
  // Nobody closes it: it is dead.
  return createAuth({
    origin,
    keys: [KEY],
    store: new Proxy<TokenStore>(store, {
      get:
        (target, name: keyof TokenStore) =>
        (...given: readonly never[]): Promise<unknown> => {
          const work = target[name] as (...all: readonly never[]) => unknown
          return call(name, () => work(...given))
        },
    }),
    places: [place],
    provider: {
      issuer: provider.issuer,
      clientId: client?.client_id ?? '',
      clientSecret: client?.client_secret ?? '',
    },
    [environment]: { now: clock.now, fetch: provider.fetch, wait: forever },
  })
}
