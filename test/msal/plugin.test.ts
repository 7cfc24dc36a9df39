import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { AuthenticationResult, ConfidentialClientApplication } from '@azure/msal-node'
import type { Auth } from '#coatcheck'
import { msalCachePlugin, msalSignOut } from '#coatcheck/msal/index'
import { memoryStore } from '#coatcheck/stores/memory'
import type { TestBrowser } from '#coatcheck/testing/browser'
import { faultyStore } from '../support/faulty-store.ts'
import { eventually } from '../support/requests.ts'
import {
  type MsalApplication,
  SCOPES,
  startMsalApplication,
  theAccount,
} from './msal-application.ts'

describe('every sign-out takes what MSAL keeps with the session', () => {
  for (const [name, signOut] of Object.entries(signOuts())) {
    it(`${name}: nothing is left, MSAL is told, and the tokens are revoked`, async (t) => {
      const { app, browser, msal, result } = await start(t)
      const account = await theAccount(msal)
      await signOut(app, browser)
      const first = app.heard('signed_out').find(({ receipt }) => receipt.removed === 1)
      assert.deepEqual(first?.receipt.tokens, HELD)
      const calls = {
        'the one that signed in': () => msal.acquireTokenSilent({ account, scopes: SCOPES }),
        'another process': () =>
          other(app, browser).acquireTokenSilent({ account, scopes: SCOPES }),
        'its accounts': () => msal.getTokenCache().getAllAccounts(),
      }
      for (const [who, call] of Object.entries(calls)) {
        await assert.rejects(call, { code: 'sign_in_required' }, who)
      }
      assert.equal(msal.getTokenCache().serialize().includes(result.accessToken), false)
      assert.deepEqual(await msalSignOut(app.auth, account.homeAccountId), [])
      await revoked(app, result.accessToken)
      assert.deepEqual(app.provider.liveRefreshTokens(), [])
    })

    it(`${name}, while MSAL refreshes: the refresh is refused, and what it brought is revoked`, async (t) => {
      const { app, browser, msal } = await start(t)
      const account = await theAccount(msal)
      const hold = app.provider.hold('token', { grant: 'refresh_token', at: 'answer' })
      const refresh = msal.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true })
      await hold.received()
      await signOut(app, browser)
      const [minted] = app.provider.issued.filter(({ kind }) => kind === 'access_token').slice(-1)
      hold.release()
      await assert.rejects(refresh, { code: 'sign_in_required' })
      assert.equal(app.heard('refresh_lost').length, 1)
      await revoked(app, minted?.value)
      assert.deepEqual(app.provider.liveRefreshTokens(), [])
      const again = other(app, browser).getTokenCache().getAllAccounts()
      await assert.rejects(again, { code: 'sign_in_required' })
    })
  }
})

describe('MSAL works as with any cache', () => {
  it('another process finds what one has kept, and refreshes', async (t) => {
    const { app, browser, result } = await start(t)
    const second = other(app, browser)
    const account = await theAccount(second)
    const kept = await second.acquireTokenSilent({ account, scopes: SCOPES })
    assert.equal(kept.fromCache, true)
    assert.equal(kept.accessToken, result.accessToken)
    const fresh = await second.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true })
    assert.notEqual(fresh.accessToken, result.accessToken)
    const third = await other(app, browser).acquireTokenSilent({ account, scopes: SCOPES })
    assert.equal(third.accessToken, fresh.accessToken)
  })

  it('what two processes get at the same time is both kept', async (t) => {
    const { app, browser, msal } = await start(t)
    app.provider.settings.rotateRefreshTokens = false
    const account = await theAccount(msal)
    const hold = app.provider.hold('token', { grant: 'refresh_token', at: 'answer' })
    const scopes = [['orders.read'], ['orders.write']]
    const both = scopes.map((scope) =>
      other(app, browser).acquireTokenSilent({ account, scopes: scope, forceRefresh: true }),
    )
    await hold.received(2)
    hold.release()
    const results = await Promise.all(both)
    assert.equal(new Set(results.map(({ accessToken }) => accessToken)).size, 2)
    const { AccessToken } = JSON.parse(await cacheOf(other(app, browser)))
    const secrets = Object.values<{ secret: string }>(AccessToken).map(({ secret }) => secret)
    for (const { accessToken } of results) assert.ok(secrets.includes(accessToken))
  })

  it('what one process gets for two APIs at the same time is both kept', async (t) => {
    const { app, browser, msal } = await start(t)
    app.provider.settings.rotateRefreshTokens = false
    const account = await theAccount(msal)
    const hold = app.provider.hold('token', { grant: 'refresh_token', at: 'answer' })
    const both = [['orders.read'], ['orders.write']].map((scopes) =>
      msal.acquireTokenSilent({ account, scopes, forceRefresh: true }),
    )
    await hold.received(2)
    hold.release()
    const results = await Promise.all(both)
    const kept = await cacheOf(other(app, browser))
    for (const { accessToken } of results) assert.ok(kept.includes(accessToken))
  })

  it('a late logout token has the provider asked before MSAL hands out a token', async (t) => {
    const { app, msal } = await start(t)
    const account = await theAccount(msal)
    const late = await app.provider.logoutToken({ claims: { exp: 1_000_000_000 } })
    assert.equal((await app.logout(late)).status, 400)
    assert.equal(app.heard('logout_late').length, 1)
    const then = app.provider.count('token', 'refresh_token')
    assert.equal((await msal.acquireTokenSilent({ account, scopes: SCOPES })).fromCache, true)
    assert.equal(app.provider.count('token', 'refresh_token'), then + 1)
    assert.equal((await app.logout(late)).status, 400)
    app.provider.next('token', { status: 400, json: { error: 'invalid_grant' } })
    const call = msal.acquireTokenSilent({ account, scopes: SCOPES })
    await assert.rejects(call, { code: 'sign_in_required' })
  })

  it('a session that nobody used for long has nothing for MSAL', async (t) => {
    const { app, msal } = await start(t)
    const account = await theAccount(msal)
    app.clock.forward(3_600_000)
    const call = msal.acquireTokenSilent({ account, scopes: SCOPES })
    await assert.rejects(call, { code: 'sign_in_required' })
  })

  it('it outlives a refresh of the session itself, and the session a refresh of it', async (t) => {
    const { app, browser, msal, result } = await start(t)
    await app.auth.accessToken(app.as(browser), { forceRefresh: true })
    const account = await theAccount(msal)
    const kept = await msal.acquireTokenSilent({ account, scopes: SCOPES })
    assert.equal(kept.accessToken, result.accessToken)
    await msal.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true })
    await app.auth.accessToken(app.as(browser), { forceRefresh: true })
    assert.equal((await app.auth.session(app.as(browser)))?.subject, 'ada')
  })

  it('a session is as good as its request', async (t) => {
    const { app, browser, result } = await start(t)
    const session = await app.auth.session(app.as(browser))
    assert.ok(session)
    const msal = app.msal(msalCachePlugin(app.auth, session))
    const kept = await msal.acquireTokenSilent({ account: await theAccount(msal), scopes: SCOPES })
    assert.equal(kept.accessToken, result.accessToken)
  })

  it('does not refresh behind a token that it will hand out all the same', async (t) => {
    const app = await startMsalApplication()
    t.after(app.close)
    // A token that is to be refreshed at once, though it lives for an hour.
    app.provider.next('token', ({ json }) => {
      json['refresh_in'] = 0
    })
    const browser = await app.signedIn({ sub: 'ada' })
    app.provider.next('token', ({ json }) => {
      json['refresh_in'] = 0
    })
    const msal = app.msal(msalCachePlugin(app.auth, app.as(browser)))
    await app.signInByMsal(browser, msal)
    const then = app.provider.count('token', 'refresh_token')
    const account = await theAccount(msal)
    assert.equal((await msal.acquireTokenSilent({ account, scopes: SCOPES })).fromCache, true)
    assert.equal(app.provider.count('token', 'refresh_token'), then)
  })
})

describe('two users on one client never mix', () => {
  it('each has their own account only, and one sign-out leaves the other', async (t) => {
    const { app, browser: adas, msal } = await start(t)
    const bobs = await app.signedIn({ sub: 'bob' })
    const bob = app.msal(msalCachePlugin(app.auth, app.as(bobs)))
    await app.signInByMsal(bobs, bob)
    assert.equal((await theAccount(other(app, adas))).homeAccountId, 'ada')
    assert.equal((await theAccount(other(app, bobs))).homeAccountId, 'bob')
    const account = await theAccount(msal)
    await app.auth.signOut({ subject: 'ada' })
    await assert.rejects(msal.acquireTokenSilent({ account, scopes: SCOPES }))
    const kept = await bob.acquireTokenSilent({ account: await theAccount(bob), scopes: SCOPES })
    assert.equal(kept.fromCache, true)
  })

  it("somebody else's account in MSAL's hands finds no token in this session", async (t) => {
    const { app, browser: adas } = await start(t)
    const bobs = await app.signedIn({ sub: 'bob' })
    const bob = other(app, bobs)
    await app.signInByMsal(bobs, bob)
    const account = await theAccount(bob)
    await assert.rejects(other(app, adas).acquireTokenSilent({ account, scopes: SCOPES }), {
      errorCode: 'no_tokens_found',
    })
  })

  it('MSAL signing in another user than the session is refused, and that is revoked', async (t) => {
    const { app, browser: adas } = await start(t)
    const bobs = await app.signedIn({ sub: 'bob' })
    const adasMsal = other(app, adas)
    await assert.rejects(app.signInByMsal(bobs, adasMsal), { code: 'id_token_invalid' })
    assert.equal((await theAccount(other(app, adas))).homeAccountId, 'ada')
    const [minted] = app.provider.issued.filter(({ kind }) => kind === 'access_token').slice(-1)
    assert.equal(minted?.sub, 'bob')
    await revoked(app, minted?.value)
  })
})

describe("MSAL's own removal of an account", () => {
  it('takes it out of this session, and out of no other of the user', async (t) => {
    const { app, browser, msal } = await start(t)
    const secondBrowser = await app.signedIn({ sub: 'ada' })
    const second = other(app, secondBrowser)
    await app.signInByMsal(secondBrowser, second)
    await msal.getTokenCache().removeAccount(await theAccount(msal))
    assert.deepEqual(await other(app, browser).getTokenCache().getAllAccounts(), [])
    assert.equal((await theAccount(other(app, secondBrowser))).homeAccountId, 'ada')
    assert.equal((await app.auth.session(app.as(browser)))?.subject, 'ada')
  })

  it('is not undone by a refresh in flight, whose tokens are revoked', async (t) => {
    const { app, browser, msal } = await start(t)
    const account = await theAccount(msal)
    const hold = app.provider.hold('token', { grant: 'refresh_token', at: 'answer' })
    const refresh = msal.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true })
    await hold.received()
    await other(app, browser).getTokenCache().removeAccount(account)
    const [minted] = app.provider.issued.filter(({ kind }) => kind === 'access_token').slice(-1)
    hold.release()
    await assert.rejects(refresh, { code: 'sign_in_required' })
    assert.deepEqual(await other(app, browser).getTokenCache().getAllAccounts(), [])
    assert.deepEqual(await msal.getTokenCache().getAllAccounts(), [])
    await revoked(app, minted?.value)
  })

  it('does not keep the user from signing in with MSAL again', async (t) => {
    const { app, browser, msal } = await start(t)
    await msal.getTokenCache().removeAccount(await theAccount(msal))
    await app.signInByMsal(browser, other(app, browser))
    assert.equal((await theAccount(other(app, browser))).homeAccountId, 'ada')
  })
})

describe('where the store is away', () => {
  it('MSAL gets nothing', async (t) => {
    const { app, msal, store } = await start(t)
    const account = await theAccount(msal)
    store.fault = () => 'refused'
    const call = msal.acquireTokenSilent({ account, scopes: SCOPES })
    await assert.rejects(call, { code: 'store_unavailable' })
    store.fault = undefined
    assert.equal((await theAccount(msal)).homeAccountId, 'ada')
    assert.equal(app.provider.count('token', 'refresh_token'), 0)
  })

  it('what MSAL was given meanwhile is kept when the store is back', async (t) => {
    const { app, browser, msal, store } = await start(t)
    const account = await theAccount(msal)
    const hold = app.provider.hold('token', { grant: 'refresh_token' })
    const refresh = msal.acquireTokenSilent({ account, scopes: SCOPES, forceRefresh: true })
    await hold.received()
    store.fault = () => 'refused'
    hold.release()
    await assert.rejects(refresh, { code: 'store_unavailable' })
    const [minted] = app.provider.issued.filter(({ kind }) => kind === 'access_token').slice(-1)
    store.fault = undefined
    // `close` does what waits for the store.
    await app.auth.close()
    const kept = await other(app, browser).acquireTokenSilent({ account, scopes: SCOPES })
    assert.equal(kept.accessToken, minted?.value)
  })
})

describe('nobody', () => {
  it('is signed in without a ticket', async (t) => {
    const { app } = await start(t)
    const msal = app.msal(msalCachePlugin(app.auth, { headers: {} }))
    await assert.rejects(msal.getTokenCache().getAllAccounts(), { code: 'sign_in_required' })
  })

  it('gets a plugin for what createAuth did not make', () => {
    const message = 'msalCachePlugin takes the `auth` that createAuth of this package made.'
    assert.throws(() => msalCachePlugin({} as Auth, { headers: {} }), new TypeError(message))
  })

  it('is served by an auth that was closed', async (t) => {
    const { app, browser } = await start(t)
    const closed = app.another()
    await closed.close()
    assert.throws(() => msalCachePlugin(closed, app.as(browser)), { code: 'closed' })
  })
})

/** Of the session, and of MSAL in it. */
const HELD = { access: 2, refresh: 2, id: 1 }

function signOuts(): Record<string, (app: MsalApplication, browser: TestBrowser) => Promise<void>> {
  const sid = (app: MsalApplication): string => String(app.provider.sessions[0]?.sid)
  return {
    'an administrator by the subject': async (app) => {
      await app.auth.signOut({ subject: 'ada' })
    },
    'an administrator by the session of the provider': async (app) => {
      await app.auth.signOut({ sid: sid(app) })
    },
    'an administrator by the session here': async (app, browser) => {
      const session = await app.auth.session(app.as(browser))
      await app.auth.signOut({ session: session?.handle ?? '' })
    },
    'an administrator by the home account id, in any case': async (app) => {
      const receipts = await msalSignOut(app.another(), 'ADA', { cause: 'security_event' })
      assert.deepEqual(
        receipts.map(({ removed, cause }) => [removed, cause]),
        [[1, 'security_event']],
      )
    },
    'the provider, by back-channel': async (app) => {
      assert.equal((await app.logout(await app.provider.logoutToken())).status, 200)
    },
    'the provider, by front-channel': async (app) => {
      const query = new URLSearchParams({ iss: app.provider.issuer, sid: sid(app) })
      const url = `${app.origin}/auth/frontchannel-logout?${query}`
      const headers = { 'sec-fetch-dest': 'iframe' }
      assert.equal((await app.auth.handle(new Request(url, { headers }))).status, 200)
      // An unsigned request revokes nothing: the provider that sent it has ended its session.
      await app.provider.endUser('ada')
    },
    'the user here': async (app, browser) => {
      await browser.post(`${app.origin}/auth/sign-out`)
    },
  }
}

interface Started {
  readonly app: MsalApplication
  readonly browser: TestBrowser
  readonly msal: ConfidentialClientApplication
  readonly result: AuthenticationResult
  readonly store: ReturnType<typeof faultyStore>
}

/** Somebody who is signed in, with MSAL too. */
async function start(t: Pick<TestContext, 'after'>): Promise<Started> {
  const store = faultyStore(memoryStore(), { now: Date.now, wait: () => Promise.resolve() })
  const app = await startMsalApplication({ store })
  t.after(app.close)
  const browser = await app.signedIn({ sub: 'ada' })
  const msal = app.msal(msalCachePlugin(app.auth, app.as(browser)))
  const result = await app.signInByMsal(browser, msal)
  return { app, browser, msal, result, store }
}

/** MSAL in another process that serves the same browser. */
function other(app: MsalApplication, browser: TestBrowser): ConfidentialClientApplication {
  return app.msal(msalCachePlugin(app.another(), app.as(browser)))
}

async function cacheOf(msal: ConfidentialClientApplication): Promise<string> {
  await msal.getTokenCache().getAllAccounts()
  return msal.getTokenCache().serialize()
}

/** Resolves when the provider was told to revoke a token, and was right to. */
async function revoked(app: MsalApplication, value: string | undefined): Promise<void> {
  assert.ok(value)
  await eventually(() => app.provider.introspect(value) === undefined, 'revoked')
}
