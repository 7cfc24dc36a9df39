import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Auth, AuthError } from '#coatcheck'
import { type Application, startClock } from '../support/application.ts'
import { ask, assertSignInWorks, start } from '../support/requests.ts'
import { type TamperingStore, tamperingStore } from '../support/tampering-store.ts'

interface Spoilt {
  readonly app: Application
  readonly store: TamperingStore
}

async function startSpoilt(t: TestContext): Promise<Spoilt> {
  const clock = startClock()
  const store = tamperingStore(clock.now)
  return { app: await start(t, { store, given: { clock } }), store }
}

/** Nothing of what was there is served, told or thrown, in a process that knew it and in a new one. */
async function assertAbsent(app: Application, cookie: string, auths: Auth[]): Promise<void> {
  const request = { headers: { cookie } }
  for (const auth of auths) {
    assert.equal(await auth.session(request), undefined)
    await assert.rejects(auth.accessToken(request), { code: 'sign_in_required' })
    const told = await ask(app, '/auth/session', { cookie, auth })
    assert.deepEqual(await told.json(), { authenticated: false })
  }
}

const SPOILT: [string, (value: Uint8Array) => Uint8Array][] = [
  ['is empty', () => new Uint8Array()],
  ['is one byte', (value) => value.subarray(0, 1)],
  ['is its head alone', (value) => value.subarray(0, 19)],
  ['is a byte short of its tag', (value) => value.subarray(0, 34)],
  ['lost its last byte', (value) => value.subarray(0, -1)],
  ['lost its second half', (value) => value.subarray(0, value.length / 2)],
  ['lost its first byte', (value) => value.subarray(1)],
  ['grew', (value) => Buffer.concat([value, Buffer.from('x')])],
  ['has another format', flip(0)],
  ['has another key', flip(3)],
  ['has another nonce', flip(10)],
  ['was changed inside', flip(60)],
  ['has another tag', flip(-1)],
  ['is zeros', (value) => new Uint8Array(value.length)],
  ['is plain JSON', () => Buffer.from('{"subject":"U1","accessTokens":[{"value":"x"}]}')],
  ['is megabytes of nothing', () => new Uint8Array(4_000_000).fill(1)],
]

describe('a session record that', () => {
  for (const [title, change] of SPOILT) {
    it(`${title} is nobody, told once per look, and harms nobody else [COO-6]`, async (t) => {
      const { app, store } = await startSpoilt(t)
      const other = await app.signedIn({ sub: 'U2', sid: 'S2' })
      const { cookie } = app.as(await app.signedIn({ sub: 'U1', sid: 'S1' })).headers
      await app.auth.session({ headers: { cookie } })
      const id = store.ids('s.').at(-1) ?? assert.fail()
      await store.spoil(id, change)
      await assertAbsent(app, cookie, [app.auth, app.another()])
      const told = app.heard('record_unreadable')
      assert.ok(told.length > 0)
      for (const event of told) assert.equal(event.session, id.slice(2))
      assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
      assert.ok(await app.auth.session(app.as(other)))
      // A sign-out finds it all the same, and it is gone.
      app.clock.forward(1000)
      const parts = { session: { sub: 'U1', sid: 'S1' } }
      assert.equal((await app.logout(await app.provider.logoutToken(parts))).status, 200)
      assert.deepEqual(store.ids('s.').length, 1)
      app.clock.forward(1000)
      await assertSignInWorks(app)
    })
  }

  it('was sealed for another id opens for nobody, also under the very same user', async (t) => {
    const { app, store } = await startSpoilt(t)
    const mine = app.as(await app.signedIn({ sub: 'U1', sid: 'S1' })).headers.cookie
    const theirs = app.as(await app.signedIn({ sub: 'U2', sid: 'S2' })).headers.cookie
    const [one = '', two = ''] = store.ids('s.')
    const [first, second] = [store.written(one).value, store.written(two).value]
    await store.spoil(one, () => second)
    await store.spoil(two, () => first)
    await assertAbsent(app, mine, [app.auth, app.another()])
    await assertAbsent(app, theirs, [app.auth, app.another()])
    await store.spoil(one, () => first)
    await store.spoil(two, () => second)
    assert.equal((await app.auth.session({ headers: { cookie: mine } }))?.subject, 'U1')
  })

  it('was sealed for another purpose opens for nobody', async (t) => {
    const { app, store } = await startSpoilt(t)
    const { cookie } = app.as(await app.signedIn()).headers
    const [id = ''] = store.ids('s.')
    await store.spoil(id, () => store.written('k').value)
    await assertAbsent(app, cookie, [app.auth])
  })

  it('is spoilt goes with its browser when it signs in again or out', async (t) => {
    const { app, store } = await startSpoilt(t)
    const browser = await app.signedIn()
    const [id = ''] = store.ids('s.')
    await store.spoil(id, flip(60))
    await browser.get(`${app.origin}/auth/sign-in`)
    assert.ok(await app.auth.session(app.as(browser)))
    const [again = ''] = store.ids('s.').slice(-1)
    await store.spoil(again, flip(60))
    const page = await browser.post(`${app.origin}/auth/sign-out`)
    assert.equal(page.url.pathname, '/auth/signed-out')
    assert.equal(app.as(browser).headers.cookie, '')
    assert.equal(store.ids('s.').includes(again), false)
  })
})

describe('a keyring that', () => {
  it('is spoilt anywhere opens as before or says that it does not, and is never an accident', async (t) => {
    const { app, store } = await startSpoilt(t)
    const browser = await app.signedIn()
    const good = store.written('k').value
    let refused = 0
    for (let at = 0; at < good.length; at++) {
      for (const bit of [0, 6]) {
        await store.spoil('k', () => flip(at, bit)(good))
        const auth = app.another()
        try {
          // Where the keyring opens, what it sealed is there or is told to be unreadable.
          await auth.session(app.as(browser))
        } catch (error) {
          assert.ok(error instanceof AuthError, `byte ${at}: ${error}`)
          assert.equal(error.code, 'keys_unknown')
          refused++
        }
        await auth.close()
      }
    }
    await store.spoil('k', () => good)
    assert.ok(refused > good.length, `${refused} refused`)
    assert.ok(await app.another().session(app.as(browser)))
  })

  const broken: [string, (value: Uint8Array) => Uint8Array | string][] = [
    ['is empty', () => ''],
    ['is half', (value) => value.subarray(0, value.length / 2)],
    ['is null', () => 'null'],
    ['is a list', () => '[]'],
    ['is an empty object', () => '{}'],
    ['has a format and nothing else', () => '{"format":1}'],
    [
      'has nothing but wrong types',
      () => '{"format":1,"wrappedBy":1,"renewedAt":"x","index":[],"seal":{}}',
    ],
    [
      'has no keys to seal with',
      (value) => json(value, (ring) => Object.assign(ring, { seal: [] })),
    ],
    [
      'has keys that are none',
      (value) => json(value, (ring) => Object.assign(ring, { seal: [null, 1] })),
    ],
    ['is of a later version', (value) => json(value, (ring) => Object.assign(ring, { format: 2 }))],
  ]
  for (const [title, change] of broken) {
    it(`${title} is told as keys_unknown, is not overwritten, and mended it works again`, async (t) => {
      const { app, store } = await startSpoilt(t)
      const browser = await app.signedIn()
      const good = store.written('k').value
      await store.spoil('k', (value) => Buffer.from(change(value)))
      const fresh = app.another()
      await assert.rejects(fresh.session(app.as(browser)), { code: 'keys_unknown' })
      assert.equal((await ask(app, '/auth/sign-in', { auth: fresh })).status, 503)
      assert.equal((await app.logout('x.y.z', fresh)).status, 400)
      assert.notDeepEqual(await store.get('k'), good)
      await store.spoil('k', () => good)
      assert.ok(await fresh.session(app.as(browser)))
      await assertSignInWorks(app, fresh)
    })
  }
})

/** Turns a bit over; negative places count from the end. */
function flip(place: number, bit = 0): (value: Uint8Array) => Uint8Array {
  return (value) => {
    const changed = new Uint8Array(value)
    const at = place < 0 ? value.length + place : place
    changed[at] = (changed[at] ?? 0) ^ (1 << bit)
    return changed
  }
}

function json(value: Uint8Array, change: (ring: object) => object): string {
  return JSON.stringify(change(JSON.parse(Buffer.from(value).toString())))
}
