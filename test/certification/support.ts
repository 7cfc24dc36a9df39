import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import express from 'express'
import helmet from 'helmet'
import type { AuthErrorCode, AuthOptions, Session } from '#coatcheck'
import { expressAuth } from '#coatcheck/adapters/express'
import { environment } from '#coatcheck/core/environment'
import { type Page, startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import type { TokenDraft } from '#coatcheck/testing/provider/jwt'
import type { Delivery } from '#coatcheck/testing/provider/logout'
import { listen } from '../adapters/listen.ts'
import { type Application, startApplication, startClock } from '../support/application.ts'

/** The Basic plan and the Form Post plan are the same modules, answered in these two ways. */
export const responseModes = ['query', 'form_post'] as const

/** A whole application for one module, without sockets. The suite wants to see UserInfo called. */
export async function startModule(
  t: TestContext,
  options: Partial<AuthOptions> = {},
): Promise<Application> {
  const app = await startApplication({ userInfo: true, ...options })
  t.after(app.close)
  return app
}

/**
 * The same over real HTTP: an Express application with helmet, on another site than the provider,
 * which announces every kind of logout and names its sessions as the suite does.
 */
export async function startServedModule(t: TestContext): Promise<Application> {
  const pages = express()
  const server = await listen(pages)
  const clock = startClock()
  // Its logout tokens go over HTTP too, not the fixture's shorter way.
  const started = await startProvider({ now: clock.now })
  const provider = Object.assign(started, { applications: new Map() })
  const app = await startApplication({
    given: { provider, clock },
    userInfo: true,
    origin: `http://app.localhost:${new URL(server.url).port}`,
    [environment]: { fetch: (url, init) => fetch(url, init) },
  })
  t.after(async () => {
    await app.close()
    await server.close()
  })
  pages.use(helmet(), expressAuth(app.auth))
  pages.use((_request, response) => {
    response.send('the application')
  })
  provider.user = { sub: 'U1', sid: suiteSid('/;[{&') }
  // With it, every answer to a sign-in carries `session_state`.
  provider.metadata.check_session_iframe = `${provider.issuer}/check-session`
  return { ...app, browser: () => startBrowser({ now: clock.now }) }
}

/** The suite ends every `sid` with five of the VSCHAR characters that are no letter or digit. */
export function suiteSid(punctuation: string): string {
  return `aBcDeFgHiJkLmNoPqRsT0123456789${punctuation}`
}

/** Signs in, and asserts what ends an accepting module: a session, and UserInfo asked once for it. */
export async function assertAccepted(
  app: Application,
  browser: TestBrowser = app.browser(),
): Promise<Session> {
  const before = app.provider.count('userinfo')
  const page = await startSignIn(app, browser)
  assert.equal(`${page.status} ${page.url.pathname}`, '200 /home')
  const session = await app.auth.session(app.as(browser))
  assert.ok(session, 'nobody is signed in')
  const token = await app.auth.accessToken(app.as(browser))
  const asked = app.provider.requests.filter(({ endpoint }) => endpoint === 'userinfo')
  assert.equal(asked.length, before + 1)
  assert.equal(asked.at(-1)?.headers.get('authorization'), `Bearer ${token.value}`)
  return session
}

/** Signs in, and asserts what ends a refusing module: an error shown, nothing stored, no UserInfo. */
export async function assertRefused(
  app: Application,
  { code = 'id_token_invalid', userInfo = 0 }: { code?: AuthErrorCode; userInfo?: number } = {},
): Promise<void> {
  const browser = app.browser()
  const page = await startSignIn(app, browser)
  assert.equal(`${page.status} ${page.url.pathname}`, '400 /auth/callback')
  assert.match(page.text, /The sign-in was not completed/)
  assert.equal(app.provider.count('token', 'authorization_code'), 1)
  const failures = app.heard('sign_in_failed').map((event) => event.code)
  assert.deepEqual(failures, [code])
  assert.equal(await app.auth.session(app.as(browser)), undefined)
  assert.deepEqual(await app.auth.sessions({ subject: app.provider.user.sub }), [])
  // The suite waits for some seconds; what is under way ends with this.
  await app.auth.close()
  assert.equal(app.provider.count('userinfo'), userInfo)
}

/** Begins a sign-in and goes wherever it leads. */
export function startSignIn(app: Application, browser: TestBrowser): Promise<Page> {
  return browser.get(`${app.origin}/auth/sign-in?return_to=/home`)
}

/** How a back-channel module ended. */
export interface BackChannelEnd {
  readonly app: Application
  /** The one logout token the provider sent, and the answer. */
  readonly delivery: Delivery
}

/**
 * A back-channel module: the user signs out here, which leaves no session, and then the provider
 * sends one logout token, changed as the module says, before it answers the browser.
 */
export async function runBackChannelModule(
  t: TestContext,
  change: (draft: TokenDraft, provider: TestProvider) => unknown = () => {},
): Promise<BackChannelEnd> {
  const app = await startServedModule(t)
  const { provider } = app
  provider.settings.logoutParameters = { ignored_parameter: 'Values not understood are ignored.' }
  const asTheSuite = (draft: TokenDraft): unknown => {
    draft.header.typ = undefined
    draft.claims['ignored_claim'] = 'Claims not understood are ignored.'
    return change(draft, provider)
  }
  provider.next('logout_token', asTheSuite, { times: Infinity })
  const browser = app.browser()
  await assertAccepted(app, browser)
  const copied = app.as(browser)
  provider.before('end_session', async () => {
    assert.equal(await app.auth.session(copied), undefined, 'not signed out here before')
    assert.deepEqual(await app.auth.sessions({ subject: provider.user.sub }), [])
  })

  const page = await browser.post(`${app.origin}/auth/sign-out`)

  assert.equal(`${page.status} ${page.url.pathname}`, '200 /auth/signed-out')
  const [delivery, ...others] = provider.deliveries
  assert.ok(delivery)
  assert.equal(others.length, 0)
  assert.match(delivery.headers?.get('cache-control') ?? '', /(^|,)\s*no-store\s*(,|$)/)
  assert.equal(delivery.headers?.has('set-cookie'), false)
  return { app, delivery }
}

/**
 * Asserts that the logout token was answered 400 for this reason, and is again where it could
 * do harm: when somebody is signed in whom it names.
 */
export async function assertLogoutRefused(
  { app, delivery }: BackChannelEnd,
  reason: RegExp,
): Promise<void> {
  assert.equal(delivery.status, 400)
  const browser = app.browser()
  await assertAccepted(app, browser)
  const again = await app.provider.sendLogout(delivery.url, delivery.token)
  assert.equal(again.status, 400)
  assert.ok(await app.auth.session(app.as(browser)), 'a refused token signed somebody out')
  const reasons = app.heard('logout_refused').map((event) => event.reason)
  assert.equal(reasons.length, 2)
  for (const given of reasons) assert.match(given, reason)
}

/** Asserts what a tester would look at: the provider's page, and nobody else's, can frame this. */
export async function assertFrameable(app: Application, url: string): Promise<void> {
  const { status, headers } = await app.browser().get(url)
  const policy = headers.get('content-security-policy') ?? ''
  assert.equal(status, 200)
  assert.match(headers.get('cache-control') ?? '', /(^|,)\s*no-store\s*(,|$)/)
  assert.equal(headers.get('x-frame-options'), null)
  assert.equal(/frame-ancestors ([^;]*)/.exec(policy)?.[1], new URL(app.provider.issuer).origin)
  assert.notEqual(headers.get('cross-origin-resource-policy'), 'same-origin')
  assert.equal(headers.get('cross-origin-opener-policy'), null)
  assert.deepEqual(headers.getSetCookie(), [])
}
