import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Auth, AuthError, type HasHeaders, type TokenStore } from '#coatcheck'
import { settle } from '../support/application.ts'
import { type BlindApplication, startBlind } from '../support/blind.ts'
import type { Fault } from '../support/faulty-store.ts'
import { testPlace } from '../support/place.ts'
import { arriving, ask, cookieHeader, cookiesIn } from '../support/requests.ts'

/** Whether a request was answered as if all were well, or failed as it should. */
type Outcome = 'done' | 'failed'

/** What is asked while one call of the store goes wrong, and what must be true in the end. */
interface Act {
  readonly act: () => Promise<Outcome>
  /** What happens right afterwards, with the store in order. */
  readonly next?: (outcome: Outcome, fault: (typeof FAULTS)[number]) => Promise<void>
  readonly check: (outcome: Outcome, wrong: Wrong) => Promise<void>
}

interface Wrong {
  readonly fault: Fault
  readonly operation: keyof TokenStore
}

const FAULTS = [
  'refused',
  'refused though done',
  'unanswered',
  'unanswered though done',
  'unanswered and done late',
] as const

/** A store's limit, and what a watch that ticks may add to it in steps of a test's clock. */
const IN_TIME = 2_250
const U1 = { sub: 'U1', sid: 'S1' }
const U2 = { sub: 'U2', sid: 'S2' }

const ACTS: Readonly<Record<string, (app: BlindApplication, other: HasHeaders) => Promise<Act>>> = {
  async 'the start of a sign-in'(app) {
    return {
      act: async () => outcomeOf(await ask(app, '/auth/sign-in'), 303),
      check: async () => {},
    }
  },

  async 'a sign-in'(app) {
    const { path, cookie } = await arriving(app)
    let got: string | undefined
    return {
      async act() {
        const response = await ask(app, path, { cookie })
        got = ticketIn(response)
        return outcomeOf(response, 303)
      },
      async check(outcome) {
        assert.equal(
          (await app.auth.sessions({ subject: 'U1' })).length,
          outcome === 'done' ? 1 : 0,
        )
        assert.equal(await serves(app, got), outcome === 'done')
        assert.equal(app.provider.liveRefreshTokens().length, outcome === 'done' ? 2 : 1)
        assert.equal(app.heard('signed_in').length, outcome === 'done' ? 2 : 1)
      },
    }
  },

  'a sign-in of a user who is signed in': (app) => signInAgain(app, U1),
  'a sign-in of another user in the same browser': (app) =>
    signInAgain(app, { sub: 'U3', sid: 'S3' }),

  async 'a silent sign-in that the provider refuses'(app) {
    const old = app.as(await app.signedIn(U1)).headers.cookie
    app.provider.next('authorization_response', (answer) => {
      answer.delete('code')
      answer.set('error', 'login_required')
    })
    const { path, cookie } = await arriving(app, 'prompt=none', { cookie: old })
    return {
      act: async () => outcomeOf(await ask(app, path, { cookie }), 400),
      async check(outcome) {
        const isHeard = outcome === 'done' || app.heard('sign_out_deferred').length > 0
        assert.equal(await serves(app, old), !isHeard)
      },
    }
  },

  async 'a page, after a while'(app) {
    const { headers } = app.as(await app.signedIn(U1))
    app.clock.forward(61_000)
    return {
      act: () => reached(app.auth.session({ headers })),
      check: async () => assert.equal(await serves(app, headers.cookie), true),
    }
  },

  async 'a page whose user stayed away too long'(app, other) {
    const { headers } = app.as(await app.signedIn(U1))
    app.clock.forward(3_500_000)
    await app.auth.session(other)
    app.clock.forward(99_500)
    return {
      act: () => reached(app.auth.session({ headers })),
      check: async () => assert.equal(await serves(app, headers.cookie), false),
    }
  },

  async 'a page that asks who is signed in'(app) {
    const { cookie } = app.as(await app.signedIn(U1)).headers
    return {
      async act() {
        const response = await ask(app, '/auth/session', { cookie })
        if (response.status === 200) {
          assert.equal(
            ((await response.clone().json()) as { authenticated: boolean }).authenticated,
            true,
          )
        }
        return outcomeOf(response, 200)
      },
      check: async () => assert.equal(await serves(app, cookie), true),
    }
  },

  async 'a list of sessions'(app) {
    await app.signedIn(U1)
    return {
      act: () => reached(app.auth.sessions({ subject: 'U1' })),
      check: async () => {},
    }
  },

  async 'an access token'(app) {
    const { headers } = app.as(await app.signedIn(U1))
    return {
      act: () => reached(app.auth.accessToken({ headers })),
      check: async () => assert.equal(await serves(app, headers.cookie), true),
    }
  },

  async 'a refresh'(app) {
    const request = app.as(await app.signedIn(U1))
    return {
      act: () => reached(app.auth.accessToken(request, { forceRefresh: true })),
      async check() {
        assert.ok((await app.end(app.auth.accessToken(request, { forceRefresh: true }))).value)
        assert.deepEqual(app.provider.reused, [])
        assert.equal(app.provider.liveRefreshTokens().length, 2)
      },
    }
  },

  async 'a refresh that the provider refuses'(app) {
    const request = app.as(await app.signedIn(U1))
    const refusal = { status: 400, json: { error: 'invalid_grant' } }
    app.provider.next('token', refusal, { times: Infinity })
    return {
      async act() {
        const outcome = await reached(
          app.auth.accessToken(request, { forceRefresh: true }).catch((error: unknown) => {
            if (!(error instanceof AuthError) || error.code !== 'sign_in_required') throw error
          }),
        )
        return outcome
      },
      async check(_, { operation }) {
        app.provider.forget()
        // Where nobody knows who claimed the refresh, nobody was refused: the next caller will be.
        if (operation === 'claim' || app.provider.count('token', 'refresh_token') === 0) return
        assert.equal(await serves(app, request.headers.cookie), false)
      },
    }
  },

  async 'a sign-out by the user'(app) {
    const { cookie } = app.as(await app.signedIn(U1)).headers
    const headers = { 'sec-fetch-site': 'same-origin' }
    return signOut(
      app,
      cookie,
      async () =>
        outcomeOf(await ask(app, '/auth/sign-out', { method: 'POST', cookie, headers }), 303),
      { failsAfterwards: false },
    )
  },

  async 'a sign-out by the user, at a provider that has none'(app) {
    delete app.provider.metadata.end_session_endpoint
    const auth = app.another()
    const { cookie } = app.as(await app.signedIn(U1, auth)).headers
    const headers = { 'sec-fetch-site': 'same-origin' }
    return signOut(
      app,
      cookie,
      async () =>
        outcomeOf(await ask(app, '/auth/sign-out', { method: 'POST', cookie, headers, auth }), 303),
      { failsAfterwards: false },
    )
  },

  async 'a back-channel logout'(app) {
    const { cookie } = app.as(await app.signedIn(U1)).headers
    app.clock.forward(1000)
    const token = await app.provider.logoutToken({ session: U1 })
    app.clock.forward(1000)
    return signOut(app, cookie, async () => outcomeOf(await app.logout(token), 200, 400))
  },

  async 'a back-channel logout of a user'(app) {
    const { cookie } = app.as(await app.signedIn(U1)).headers
    app.clock.forward(1000)
    const token = await app.provider.logoutToken({ session: U1, claims: { sid: undefined } })
    app.clock.forward(1000)
    return signOut(app, cookie, async () => outcomeOf(await app.logout(token), 200, 400))
  },

  async 'a front-channel logout'(app) {
    const { cookie } = app.as(await app.signedIn(U1)).headers
    app.clock.forward(1)
    const path = `/auth/frontchannel-logout?iss=${encodeURIComponent(app.provider.issuer)}&sid=S1`
    return signOut(app, cookie, async () => outcomeOf(await ask(app, path), 200), {
      revokes: false,
    })
  },

  async 'a sign-out by an administrator'(app) {
    const { cookie } = app.as(await app.signedIn(U1)).headers
    app.clock.forward(1)
    return signOut(app, cookie, () => reached(app.auth.signOut({ subject: 'U1' })))
  },

  async 'a sign-out of one session by an administrator'(app) {
    const { headers } = app.as(await app.signedIn(U1))
    const session = await app.auth.session({ headers })
    assert.ok(session)
    return signOut(app, headers.cookie, () => reached(app.auth.signOut({ session })))
  },

  'a sign-out by an administrator, of an application with a place': (app) =>
    signOutWithPlace(app, async () => (auth) => reached(auth.signOut({ subject: 'U1' }))),

  'a back-channel logout, of an application with a place': (app) =>
    signOutWithPlace(app, async () => {
      const token = await app.provider.logoutToken({ session: U1 })
      app.clock.forward(1000)
      return async (auth) => outcomeOf(await app.logout(token, auth), 200, 400)
    }),
}

for (const [name, prepare] of Object.entries(ACTS)) {
  describe(`${name}, with one call of the store`, () => {
    for (const fault of FAULTS) {
      it(`${fault}, whichever it is: fails in time with one error, and ends well [INV-4, BCL-13]`, async (t) => {
        let at = 1
        while (await run(t, prepare, fault, at)) at += 1
        assert.ok(at > 1, 'the store was never called')
        t.diagnostic(`${at - 1} calls`)
      })
    }
  })
}

/** Has one call go wrong. `false` where there were not as many. */
async function run(
  t: TestContext,
  prepare: (app: BlindApplication, other: HasHeaders) => Promise<Act>,
  fault: (typeof FAULTS)[number],
  at: number,
): Promise<boolean> {
  const app = await startBlind(t)
  const other = app.as(await app.signedIn(U2))
  app.provider.user = U1
  const { act, next, check } = await prepare(app, other)
  await app.pass(1_000)
  let operation: keyof TokenStore | undefined
  app.store.fault = (called, place) => {
    if (place !== at) return undefined
    operation = called
    return fault
  }
  let took = 0
  const answered = (): void => {
    took = app.clock.now() - (app.store.struckAt ?? app.clock.now())
    app.store.fault = undefined
  }
  const outcome = await app.end(act().finally(answered))
  await next?.(outcome, fault)
  if (operation === undefined) {
    assert.equal(outcome, 'done')
    return false
  }
  const where = `${operation}, call ${at}`
  if (outcome === 'failed') assert.ok(took <= IN_TIME, `${where}: after ${took} ms`)
  // What was deferred is done, then what was given up, then what is owed.
  await app.pass(2_000)
  await app.store.release()
  // What a worker claimed, and could not do, is free after two minutes.
  for (let round = 0; round < 10; round += 1) {
    app.clock.forward(15_000)
    await settle()
  }
  await check(outcome, { fault, operation }).catch((error: unknown) => {
    throw new Error(`${where}, ${outcome}`, { cause: error })
  })
  // Nobody else noticed anything.
  assert.equal(await serves(app, other.headers.cookie), true, where)
  assert.deepEqual(app.heard('worker_failed'), [])
  assert.deepEqual(app.heard('sign_out_lost'), [])
  assert.deepEqual(app.heard('record_unreadable'), [])
  return true
}

/** A browser that has a session signs in once more. */
async function signInAgain(
  app: BlindApplication,
  user: { readonly sub: string; readonly sid: string },
): Promise<Act> {
  const old = app.as(await app.signedIn(U1)).headers.cookie
  app.clock.forward(1000)
  app.provider.user = user
  const { path, cookie } = await arriving(app, '', { cookie: old })
  let got: string | undefined
  return {
    async act() {
      const response = await ask(app, path, { cookie })
      got = ticketIn(response)
      return outcomeOf(response, 303)
    },
    async check(outcome, { fault, operation }) {
      assert.equal(await serves(app, got), outcome === 'done', 'the new one')
      const mayBeGone = operation === 'remove' && !['refused', 'unanswered'].includes(String(fault))
      if (outcome === 'done') assert.equal(await serves(app, old), false, 'the old one')
      else if (!mayBeGone) {
        assert.equal(await serves(app, old), true, 'the old one')
        const request = { headers: { cookie: old } }
        assert.ok((await app.end(app.auth.accessToken(request, { forceRefresh: true }))).value)
        // On a grant that goes on, a revocation could take the old one's tokens along.
        if (user === U1) assert.deepEqual(app.provider.revoked, [])
      }
      const subjects = new Set(['U1', user.sub])
      let sessions = 0
      for (const subject of subjects) sessions += (await app.auth.sessions({ subject })).length
      assert.ok(sessions <= 1, 'there is a session of nobody')
    },
  }
}

/** Whoever heard a sign-out finishes it, and spares who signs in since then. */
function signOut(
  app: BlindApplication,
  cookie: string,
  act: () => Promise<Outcome>,
  {
    revokes = true,
    failsAfterwards = true,
  }: {
    readonly revokes?: boolean
    /** It may fail although all that was named is gone, and be done once more. */
    readonly failsAfterwards?: boolean
  } = {},
): Act {
  const second = app.another()
  const request = { headers: { cookie } }
  let fresh: string | undefined
  let before: readonly string[] = []
  return {
    async act() {
      before = app.provider.liveRefreshTokens()
      return act()
    },
    async next(outcome, fault) {
      if (!failsAfterwards && outcome === 'failed' && !fault.includes('done')) {
        assert.ok(await app.end(second.session(request)), 'it failed, and was done')
      }
      if (outcome === 'done') {
        for (const auth of [app.auth, second]) {
          assert.equal(await auth.session(request), undefined, 'served after the answer')
        }
      }
      app.clock.forward(1)
      // A call of the worker may be what hangs: then a second try is needed.
      const again = (): ReturnType<typeof app.signedIn> => app.signedIn(U1)
      fresh = app.as(await app.end(again().catch(again))).headers.cookie
    },
    async check(_, wrong) {
      for (const auth of [app.auth, second]) {
        assert.equal(await auth.session(request), undefined, 'the sign-out was lost')
        await assert.rejects(auth.accessToken(request), { code: 'sign_in_required' })
      }
      if (!isLateRemoval(wrong))
        assert.equal(await serves(app, fresh), true, 'who signed in since then')
      const live = before.filter((token) => app.provider.liveRefreshTokens().includes(token))
      if (revokes) assert.equal(live.length, 1, 'what was owed')
      const times = app
        .heard('signed_out')
        .flatMap(({ receipt }) => receipt.sessions)
        .filter((handle, place, all) => all.indexOf(handle) !== place)
      assert.deepEqual(times, [], 'in two receipts')
    },
  }
}

/** A removal of all that exists, done by the store when it likes, spares nobody who came since. */
function isLateRemoval({ fault, operation }: Wrong): boolean {
  return fault === 'unanswered and done late' && operation === 'removeAll'
}

/** As without; and the place hears of it, whoever is left to tell it. */
async function signOutWithPlace(
  app: BlindApplication,
  prepare: () => Promise<(auth: Auth) => Promise<Outcome>>,
): Promise<Act> {
  const place = testPlace()
  const auth = app.another({ places: [place] })
  const { cookie } = app.as(await app.signedIn(U1)).headers
  const session = await app.auth.session({ headers: { cookie } })
  app.clock.forward(1000)
  const act = await prepare()
  const asWithout = signOut(app, cookie, () => act(auth))
  return {
    ...asWithout,
    async check(outcome, wrong) {
      await asWithout.check(outcome, wrong)
      const handles = place.told.flatMap(({ sessions }) => sessions.map(({ handle }) => handle))
      assert.ok(handles.includes(session?.handle ?? ''), 'the place never heard of it')
      if (!isLateRemoval(wrong)) assert.equal(new Set(handles).size, 1, 'whom the place heard of')
      const outcomes = new Map(app.heard('place').map((event) => [event.receipt, event.outcome]))
      assert.deepEqual(new Set(outcomes.values()), new Set(['done']), 'what is owed to the place')
    },
  }
}

/** Holds an answer to what a failure may be. */
function outcomeOf(response: Response, success: number, failure = 503): Outcome {
  if (response.status === success) return 'done'
  assert.equal(response.status, failure)
  assert.match(response.headers.get('cache-control') ?? '', /no-store/)
  assert.deepEqual(response.headers.getSetCookie(), [])
  assert.equal(response.headers.get('location'), null)
  return 'failed'
}

async function reached(work: Promise<unknown>): Promise<Outcome> {
  try {
    await work
    return 'done'
  } catch (error) {
    assert.ok(error instanceof AuthError, String(error))
    assert.equal(error.code, 'store_unavailable')
    return 'failed'
  }
}

function ticketIn(response: Response): string | undefined {
  const written = cookiesIn(response).filter(({ value }) => value !== '')
  return written.length === 0 ? undefined : cookieHeader(...written)
}

/** Whether this cookie is signed in and gets a token. */
async function serves(app: BlindApplication, cookie: string | undefined): Promise<boolean> {
  if (cookie === undefined) return false
  const request = { headers: { cookie } }
  if ((await app.end(app.auth.session(request))) === undefined) return false
  assert.ok((await app.end(app.auth.accessToken(request))).value)
  return true
}
