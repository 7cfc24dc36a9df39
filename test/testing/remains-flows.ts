import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { environment } from '#coatcheck/core/environment'
import { findRemains, type Remains, type SignedOut } from '#coatcheck/testing/remains'
import { until } from '../servers/until.ts'
import {
  type Application,
  KEY,
  settle,
  startApplication,
  startClock,
} from '../support/application.ts'
import { testPlace } from '../support/place.ts'
import { arriving, ask, failures } from '../support/requests.ts'
import type { OpenedStore, OpenStore } from './remains-stores.ts'

export const ALICE = { sub: 'alice-7c1f02', sid: 'provider-session-of-alice' }
export const BOB = { sub: 'bob-19d4e8aa', sid: 'provider-session-of-bob' }

/** Registers what must hold of real sign-outs, as the raw contents of a store show them. */
export function testSignOuts(open: OpenStore): void {
  it('finds every session before a sign-out, and nothing after it [INV-2]', async (t) => {
    const { app, look, revoked } = await start(t, open)
    const browser = await app.signedIn(ALICE)
    await app.signedIn(ALICE)
    const { handle } = (await app.auth.session(app.as(browser))) ?? {}
    assert.ok(handle !== undefined)
    const ticket = browser.cookies[0]?.value ?? ''
    const secrets = [...app.provider.secrets(), ticket]
    await app.signedIn(BOB)

    for (const [identity, sessions] of [
      [{ subject: ALICE.sub }, 2],
      [{ sid: ALICE.sid }, 2],
      [{ session: handle }, 1],
    ] as const) {
      const before = await look([identity])
      assert.equal(before.verdict, 'remains')
      assert.equal(of(before, 'session').length, sessions)
      assert.match(of(before, 'session')[0]?.what ?? '', /The application opens it/)
      assert.ok(of(before, 'index_entry').length > 0)
    }

    app.clock.forward(1000)
    const receipt = await app.auth.signOut({ subject: ALICE.sub })
    await revoked()
    const gone = [{ subject: ALICE.sub }, { sid: ALICE.sid }, { session: handle }, { receipt }]
    const after = await look(gone, secrets)
    assert.deepEqual(after.found, [])
    assert.equal(after.verdict, 'nothing_left')
    assert.equal(after.looked.others, 1)
    assert.ok(after.looked.marks > 0)
    assert.deepEqual(after.looked.keyrings, { found: 1, unwrapped: 1 })
  })

  it('finds nothing after a back-channel logout, and still the session of another user', async (t) => {
    const { app, look, revoked } = await start(t, open)
    await app.signedIn(ALICE)
    await app.signedIn(BOB)
    app.clock.forward(1000)
    await app.logout(await app.provider.logoutToken({ session: ALICE }))
    await revoked()
    assert.equal((await look([{ subject: ALICE.sub }, { sid: ALICE.sid }])).verdict, 'nothing_left')
    assert.equal(of(await look([{ sid: BOB.sid }]), 'session').length, 1)
  })

  it('tells tokens that are kept until the provider confirms their revocation', async (t) => {
    const { app, look, revoked } = await start(t, open)
    await app.signedIn(ALICE)
    app.provider.next('revocation', { status: 503 }, { times: Number.POSITIVE_INFINITY })
    app.clock.forward(1000)
    const receipt = await app.auth.signOut({ subject: ALICE.sub })
    const hasTried = (): boolean => app.heard('revocation').length > 0
    await until('the provider was asked', hasTried)
    await settle()

    const told = await look([{ receipt }])
    assert.deepEqual(new Set(told.found.map((remain) => remain.kind)), new Set(['owed_revocation']))
    // Owed work names nobody: without the receipt it may be anybody's.
    const untold = await look([{ subject: ALICE.sub }])
    assert.equal(untold.verdict, 'not_judged')
    assert.deepEqual(untold.undecidedCount, { unknown_key: 0, damaged: 0, owed_revocation: 1 })
    const token = app.provider.issued.find((one) => one.kind === 'refresh_token')?.value ?? ''
    assert.deepEqual(of(await look([], [token]), 'owed_revocation')[0]?.texts, [0])

    app.provider.forget()
    app.clock.forward(3_600_000)
    await revoked()
    assert.equal((await look([{ subject: ALICE.sub }, { receipt }])).verdict, 'nothing_left')
  })

  it('tells of whom a place has yet to be told, and nothing once it was', async (t) => {
    const { app, look, revoked } = await start(t, open)
    const place = testPlace()
    place.behave = () => Promise.reject(new Error('The place is away.'))
    const auth = app.another({ places: [place] })
    const browser = await app.signedIn(ALICE)
    const { handle } = (await auth.session(app.as(browser))) ?? assert.fail()
    await app.signedIn(ALICE)
    await app.signedIn(BOB)
    app.clock.forward(1000)
    const receipt = await auth.signOut({ subject: ALICE.sub })
    assert.deepEqual(
      receipt.places.map(({ outcome }) => outcome),
      ['owed'],
    )
    await revoked()
    const names = [{ subject: ALICE.sub }, { sid: ALICE.sid }, { session: handle }, { receipt }]
    for (const identity of names) {
      const told = await look([identity])
      const kinds = told.found.map((remain) => remain.kind)
      assert.deepEqual(new Set(kinds), new Set(['owed_place']), Object.keys(identity)[0])
    }
    assert.deepEqual(of(await look([{ subject: BOB.sub }, { sid: BOB.sid }]), 'owed_place'), [])

    place.behave = async () => 1
    app.clock.forward(5_000)
    await until('the place was told', async () => (await look(names)).verdict === 'nothing_left')
    assert.equal(app.heard('place').at(-1)?.outcome, 'done')
    assert.ok(
      place.told.every(({ sessions }) => sessions.every((one) => one.subject === ALICE.sub)),
    )
  })

  it('does not open the store without its keys, and does not call that nothing', async (t) => {
    const { app, contents } = await start(t, open)
    await app.signedIn(ALICE)
    const { issuer } = app.provider
    const remains = await findRemains({
      contents,
      keys: ['another key of thirty-two bytes and a little more'],
      issuer,
      clientId: 'app',
      identities: [{ subject: ALICE.sub }],
    })
    assert.equal(remains.verdict, 'not_judged')
    assert.deepEqual(remains.looked.keyrings, { found: 1, unwrapped: 0 })
  })

  it('finds nothing of a sign-in that was refused, and takes the refusal for nobody', async (t) => {
    const { app, look, revoked } = await start(t, open)
    app.provider.user = ALICE
    const { path, cookie } = await arriving(app)
    await app.auth.refuseSignInsUnderWay()
    await app.another().refuseSignInsUnderWay()
    assert.equal((await ask(app, path, { cookie })).status, 400)
    assert.deepEqual(failures(app), ['signed_out_meanwhile'])
    await revoked()
    const after = await look([{ subject: ALICE.sub }, { sid: ALICE.sid }], app.provider.secrets())
    assert.deepEqual([after.found, after.undecided], [[], []])
    assert.equal(after.verdict, 'nothing_left')
    assert.equal(after.looked.others, 1)
  })

  it('takes the same subject of another application for somebody else', async (t) => {
    const { app, contents } = await start(t, open)
    await app.signedIn(ALICE)
    const remains = await findRemains({
      contents,
      keys: [KEY],
      issuer: app.provider.issuer,
      clientId: 'another',
      identities: [{ subject: ALICE.sub }, { sid: ALICE.sid }],
    })
    assert.equal(remains.verdict, 'nothing_left')
    assert.equal(remains.looked.others, 1)
  })
}

/** An application, and how to look for what is left in its store. */
export interface Started {
  readonly app: Application
  readonly contents: OpenedStore['contents']
  /** Resolves when the provider has confirmed what is owed. */
  revoked(): Promise<void>
  look(identities: readonly SignedOut[], texts?: readonly string[]): Promise<Remains>
}

/** Starts an application on such a store. */
export async function start(t: TestContext, open: OpenStore): Promise<Started> {
  const clock = startClock()
  const { store, contents } = await open(t, clock.now)
  const app = await startApplication({
    store,
    [environment]: { wait: clock.wait },
    given: { clock },
  })
  t.after(app.close)
  const look: Started['look'] = (identities, texts = []) =>
    findRemains({
      contents,
      keys: [KEY],
      issuer: app.provider.issuer,
      clientId: 'app',
      identities,
      texts,
    })
  return {
    app,
    contents,
    look,
    async revoked() {
      await until('the provider has confirmed what is owed', async () => {
        const { undecidedCount } = await look([{ subject: 'nobody' }])
        return undecidedCount.owed_revocation === 0
      })
    },
  }
}

/** Those of one kind. */
export function of({ found }: Remains, kind: Remains['found'][number]['kind']): Remains['found'] {
  return found.filter((remain) => remain.kind === kind)
}
