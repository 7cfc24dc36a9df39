import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/index'
import { until } from '../servers/until.ts'
import { anotherApplication } from './another-application.ts'
import {
  type BehindTheGateway,
  behindTheGateway,
  type ExampleApplication,
} from './behind-the-gateway.ts'
import type { UnderWay } from './under-way.ts'

/** An example application, and what a user does with it. Paths are those that the browser asks. */
export interface UsedApplication extends ExampleApplication {
  /** Leads to the provider, and back when the user has signed in. */
  readonly signIn: string
  /** Says who is signed in. */
  readonly page: string
  readonly saysUser: RegExp
  /** Calls the API, which has a coat. */
  readonly coats: string
  /** Opens what goes on for as long as the user is signed in. */
  open(browser: TestBrowser, origin: string): Promise<UnderWay>
  /** Sessions of its own, where it keeps any. */
  sessions?(running: BehindTheGateway): Promise<number>
}

/**
 * Signs in, sees the user, has the API called, and is signed out: at the provider first, then, once
 * more from the beginning, at another application.
 */
export async function signsOutEverywhere(t: TestContext, application: UsedApplication) {
  const running = await behindTheGateway(t, application)
  const { provider } = running
  const another = await anotherApplication(t, provider)

  await round(running, application, 'ada', async () => {
    const { sid = '' } = provider.sessions.at(-1) ?? {}
    const [delivery] = await provider.endSession(sid)
    assert.equal(delivery?.status, 200)
  })
  await round(running, application, 'bob', async (browser) => {
    await browser.get(`${another}/auth/sign-in`)
    assert.equal(provider.sessions.at(-1)?.clients.size, 2, 'one session for both applications')
    await browser.post(`${another}/auth/sign-out`)
    const told = provider.deliveries.filter(({ url }) => url.startsWith(running.origin))
    assert.equal(told.at(-1)?.status, 200)
  })

  const printed = running.gateway.output() + running.application.output()
  assert.match(printed, /signed_out/)
  assert.ok(!provider.secrets().some((secret) => printed.includes(secret)), 'a secret is in a log')
}

async function round(
  running: BehindTheGateway,
  application: UsedApplication,
  sub: string,
  signOut: (browser: TestBrowser) => Promise<void>,
): Promise<void> {
  const { origin, provider, presented } = running
  const browser = startBrowser()
  provider.user = { sub }
  await browser.get(origin + application.signIn)
  const page = await browser.get(origin + application.page)
  assert.match(page.text, application.saysUser)
  const shown = presented.length
  const coats = await browser.get(origin + application.coats)
  assert.deepEqual([coats.status, coats.text], [200, '["a coat"]'])
  assert.equal(provider.introspect(presented[shown] ?? '')?.family.session.sub, sub)
  const { ended } = await application.open(browser, origin)
  if (application.sessions) assert.equal(await application.sessions(running), 1)

  assert.equal((await running.remainsOf(sub, [])).verdict, 'remains')
  const cookie = browser.cookieHeader(origin)
  const handedOut = provider.issued.map(({ value }) => value)
  await signOut(browser)

  // Whoever signed the user out was answered: from now on there is nothing.
  await assertSignedOut(running, application, cookie)
  await ended
  const { sessions } = application
  if (sessions) await until('its own session ended', async () => (await sessions(running)) === 0)
  assert.deepEqual(provider.liveRefreshTokens(), [])
  await until(`nothing is left of ${sub}`, async () => {
    const { verdict } = await running.remainsOf(sub, [...handedOut, cookie.split('=')[1] ?? ''])
    return verdict === 'nothing_left'
  })
}

/** Somebody kept the cookie, and gets nothing for it. */
async function assertSignedOut(
  { origin, presented }: BehindTheGateway,
  { page, saysUser, coats }: UsedApplication,
  cookie: string,
): Promise<void> {
  const before = presented.length
  for (const path of [page, coats]) {
    const answer = await fetch(origin + path, { headers: { cookie }, redirect: 'manual' })
    assert.doesNotMatch(await answer.text(), saysUser)
    if (path !== '/auth/session') assert.equal(answer.status, 401, path)
  }
  assert.equal(presented.length, before, 'the API is not called any more')
}
