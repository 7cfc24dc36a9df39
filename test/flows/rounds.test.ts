import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Round, type Rounds, startRounds } from '#coatcheck/core/sign-out/rounds'
import { settle, startClock } from '../support/application.ts'
import { type BlindApplication, startBlind } from '../support/blind.ts'
import { refuse, startPlaced, type TestPlace, testPlace } from '../support/place.ts'

/** Rounds by a clock that stands still until it is told to move. */
function start(
  t: TestContext,
  look: (wait: (milliseconds: number) => Promise<void>) => Promise<Round>,
): {
  rounds: Rounds
  count: () => number
  pass: (milliseconds: number, step?: () => void) => Promise<void>
} {
  const clock = startClock()
  const ending = new AbortController()
  let count = 0
  const environment = { ...clock, random: () => new Uint8Array(), fetch }
  const round = (): Promise<Round> => {
    count += 1
    return look(clock.wait)
  }
  const rounds = startRounds({ environment, emit: () => {} }, round, ending.signal)
  t.after(() => {
    ending.abort()
    clock.forward(100_000)
    return rounds.ended
  })
  return {
    rounds,
    count: () => count,
    async pass(milliseconds, step = () => {}) {
      for (let passed = 0; passed < milliseconds; passed += 50) {
        step()
        clock.forward(50)
        await settle()
      }
    },
  }
}

describe('a worker that looks through what is owed', () => {
  it('leaves half of the time to others where there is always something due', async (t) => {
    const { count, pass } = start(t, async (wait) => {
      await wait(1_000)
      return { next: 0, took: 1_000 }
    })
    await pass(20_000)
    assert.equal(count(), 10)
  })

  it('leaves half of the time to others where something becomes owed all the time', async (t) => {
    const { rounds, count, pass } = start(t, async (wait) => {
      await wait(1_000)
      return { next: 5_000, took: 1_000 }
    })
    await pass(20_000, rounds.wake)
    assert.equal(count(), 10)
  })

  it('looks four times a second at most where looking takes no time', async (t) => {
    const { count, pass } = start(t, async () => ({ next: 0, took: 0 }))
    await pass(10_000)
    assert.equal(count(), 40)
  })

  it('looks at once when something becomes owed and there was little to look through', async (t) => {
    const { rounds, count } = start(t, async () => ({ next: 5_000, took: 0 }))
    await settle()
    for (const times of [2, 3]) {
      rounds.wake()
      await settle()
      assert.equal(count(), times)
    }
  })

  it('pauses as usual where the clock was set while it looked', async (t) => {
    const { count, pass } = start(t, async () => ({ next: 5_000, took: -3_600_000 }))
    await pass(10_050)
    assert.equal(count(), 3)
  })

  it('looks again within minutes where the clock was set forward while it looked', async (t) => {
    const { count, pass } = start(t, async () => ({ next: 5_000, took: 3_600_000 }))
    await pass(61_000)
    assert.equal(count(), 2)
  })
})

describe('who is woken when something becomes owed', () => {
  it('is whoever does it, and nobody else', async (t) => {
    const { looks } = await signOut(t, [testPlace('one'), testPlace('other')])
    // For the revocations; both places were told.
    assert.equal(looks(), 1)
  })

  it('is the worker of the one place that could not be told', async (t) => {
    const places = [testPlace('one'), testPlace('other'), testPlace('third')]
    const [one] = places
    if (one) one.behave = refuse
    const { app, looks } = await signOut(t, places)
    assert.equal(looks(), 2)
    if (one) one.behave = async () => 1
    await app.pass(6_000)
  })
})

/** A sign-out of one session, and how often somebody looks through what is owed from then on. */
async function signOut(
  t: TestContext,
  places: TestPlace[],
): Promise<{ readonly app: BlindApplication; readonly looks: () => number }> {
  const app = await startPlaced(t, { places })
  await app.signedIn({ sub: 'U1', sid: 'S1' })
  await settle()
  const looks = countLooks(app)
  await app.end(app.auth.signOut({ subject: 'U1' }))
  await settle()
  return { app, looks }
}

/** How often somebody has begun to look through what is owed. */
function countLooks(app: BlindApplication): () => number {
  const before = app.store.calls.length
  return () => app.store.calls.slice(before).filter((operation) => operation === 'list').length
}

it('a store that takes long to list is left alone half of the time, however many sign out', async (t) => {
  const app = await startBlind(t)
  const users = Array.from({ length: 40 }, (_, place) => ({ sub: `U${place}`, sid: `S${place}` }))
  for (const user of users) await app.signedIn(user)
  app.store.fault = (operation) => (operation === 'list' ? { after: 1_000 } : undefined)
  const looks = countLooks(app)
  for (const { sub } of users) {
    void app.auth.signOut({ subject: sub })
    await app.pass(1_000)
  }
  // Half of forty for revocations, and those for removals that were left unfinished.
  assert.ok(looks() <= 20 + 8, `${looks()} looks of a second each in 40 seconds`)
  app.store.fault = undefined
  await app.pass(10_000)
  assert.deepEqual(app.provider.liveRefreshTokens(), [])
})
