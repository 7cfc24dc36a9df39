import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { settle } from '../support/application.ts'
import { forever, refuse, startPlaced, type TestPlace, testPlace } from '../support/place.ts'

const U1 = { sub: 'U1', sid: 'S1' }
const U2 = { sub: 'U2', sid: 'S2' }
const LIMIT = 3_000

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
      const app = await startPlaced(t)
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
    const app = await startPlaced(t)
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
    const app = await startPlaced(t)
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
    const app = await startPlaced(t, { places: [hanging, quick] })
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
    const app = await startPlaced(t)
    app.provider.next('revocation', { wire: 'drop' }, { times: Infinity })
    await app.signedIn(U1)
    const { outcome } = await app.signOut('U1')
    assert.equal(outcome, 'done')
    app.provider.forget()
  })

  it('tells the place of another that lands while it is being told of the first', async (t) => {
    const app = await startPlaced(t)
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
})
