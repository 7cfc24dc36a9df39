import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AuthError } from '#coatcheck'
import { createDeferred, type Deferred } from '#coatcheck/core/sign-out/deferred'
import { settle, startClock } from '../support/application.ts'
import { startBlind } from '../support/blind.ts'
import { eventually } from '../support/requests.ts'

const away = (): AuthError => new AuthError('store_unavailable', 'Away.')

/** A list of promises, a store that is away or not, and what came of them. */
function start(): {
  deferred: Deferred
  store: { isAway: boolean; isSilent: boolean; tries: number; questions: number }
  done: number[]
  lost: unknown[]
  promise(place: number, fails?: () => Error | undefined): boolean
  pass(milliseconds: number): Promise<void>
} {
  const clock = startClock()
  const store = { isAway: true, isSilent: false, tries: 0, questions: 0 }
  const done: number[] = []
  const lost: unknown[] = []
  const deferred = createDeferred(clock, async () => {
    store.questions += 1
    return !store.isAway
  })
  return {
    deferred,
    store,
    done,
    lost,
    promise: (place, fails = () => undefined) =>
      deferred.add({
        async work() {
          store.tries += 1
          if (store.isSilent) await clock.wait(2_000)
          if (store.isAway || store.isSilent) throw away()
          const error = fails()
          if (error !== undefined) throw error
          done.push(place)
        },
        lost: (why) => lost.push(why),
      }),
    async pass(milliseconds) {
      for (let passed = 0; passed < milliseconds; passed += 250) {
        clock.forward(250)
        await settle()
      }
    },
  }
}

const byPlace = (one: number, other: number): number => one - other
const PLACES = Array.from({ length: 5_000 }, (_, place) => place)

describe('what waits for the store', () => {
  it('is done in its order when the store is back, however much it is, and lets others in between', async () => {
    const { deferred, store, done, promise, pass } = start()
    for (const place of PLACES) promise(place)
    await pass(30_000)
    assert.equal(deferred.size, PLACES.length)
    store.isAway = false
    let turns = 0
    const count = (): void => {
      turns += 1
      if (deferred.size > 0) setImmediate(count)
    }
    setImmediate(count)
    await pass(5_000)
    await eventually(() => deferred.size === 0, 'all are done')
    assert.deepEqual(done, PLACES)
    assert.ok(turns >= PLACES.length / 2, `others had ${turns} turns`)
  })

  it('asks a store that is away seldom, and about one thing only', async () => {
    const { store, promise, pass } = start()
    for (const place of PLACES) promise(place)
    await pass(60_000)
    assert.ok(store.tries <= 20, `${store.tries} tries in a minute`)
    assert.ok(store.questions <= 20, `${store.questions} questions`)
  })

  it('does not hold the others up where one of them fails whatever happens', async () => {
    const { deferred, store, done, promise, pass } = start()
    for (const place of PLACES.slice(0, 100)) promise(place, place < 30 ? away : undefined)
    store.isAway = false
    await pass(30_000)
    assert.deepEqual(done, PLACES.slice(30, 100))
    assert.equal(deferred.size, 30)
    const before = store.tries
    await pass(60_000)
    assert.ok(store.tries - before <= 200, `${store.tries - before} tries in a minute`)
  })

  it('is told of where the answer is no', async () => {
    const { deferred, store, lost, promise, pass } = start()
    const no = new AuthError('logout_token_invalid', 'sid and sub name different users.')
    promise(0, () => no)
    store.isAway = false
    await pass(1_000)
    assert.deepEqual(lost, [no])
    assert.equal(deferred.size, 0)
  })

  it('is tried until the end, and told of where it came to nothing', async () => {
    const { deferred, store, done, lost, promise, pass } = start()
    for (const place of PLACES.slice(0, 100)) promise(place)
    const tries = store.tries
    const closed = deferred.close()
    await pass(9_500)
    assert.deepEqual(lost, [])
    await pass(1_000)
    await closed
    assert.ok(store.tries - tries <= 10, `${store.tries - tries} tries`)
    assert.equal(lost.length, 100)
    assert.equal(promise(100), false)
    assert.deepEqual(done, [])
  })

  for (const away of [0, 1_000, 7_000]) {
    it(`is done at the end where the store is back ${away / 1000} seconds later`, async () => {
      const { deferred, store, done, lost, promise, pass } = start()
      for (const place of PLACES.slice(0, 100)) promise(place)
      const closed = deferred.close()
      // Whoever says it twice waits for the same end.
      assert.equal(deferred.close(), closed)
      await pass(away)
      store.isAway = false
      await pass(2_000)
      await closed
      assert.deepEqual(done.toSorted(byPlace), PLACES.slice(0, 100))
      assert.deepEqual(lost, [])
    })
  }

  it('does not hold up the end where each of thousands takes its time', async () => {
    const { deferred, store, lost, promise, pass } = start()
    for (const place of PLACES) promise(place)
    store.isAway = false
    store.isSilent = true
    let isClosed = false
    const closed = deferred.close().then(() => {
      isClosed = true
    })
    await pass(15_000)
    assert.equal(isClosed, true)
    await closed
    assert.equal(lost.length, PLACES.length)
  })
})

it('finishes hundreds of sign-outs that were heard while the store was away, and nobody else’s [BCL-13]', async (t) => {
  const app = await startBlind(t)
  const users = Array.from({ length: 60 }, (_, place) => ({ sub: `U${place}`, sid: `S${place}` }))
  const requests = []
  for (const user of users) requests.push(app.as(await app.signedIn(user)))
  app.clock.forward(1_000)
  const ending = users.slice(0, 50)
  const tokens = await Promise.all(ending.map((session) => app.provider.logoutToken({ session })))
  app.store.fault = () => 'unanswered'
  // The provider repeats itself, as some do.
  for (let time = 0; time < 4; time += 1) {
    const answers = await app.end(Promise.all(tokens.map((token) => app.logout(token))))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [400])
    await app.pass(5_000)
  }
  app.store.fault = undefined
  await app.pass(10_000)
  for (const [place, request] of requests.entries()) {
    const session = await app.auth.session(request)
    assert.equal(session?.subject, place < 50 ? undefined : `U${place}`)
  }
  const handles = app.heard('signed_out').flatMap(({ receipt }) => receipt.sessions)
  assert.deepEqual([handles.length, new Set(handles).size], [50, 50])
})
