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
  readonly says: (sub: string) => string
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
  const bystander = await signedIn(running, application, 'eve')

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

  const page = await bystander.get(running.origin + application.page)
  assert.ok(page.text.includes(application.says('eve')), page.text)
  const hers = provider.sessions.filter(({ sub }) => sub === 'eve')
  assert.deepEqual([hers.length, hers[0]?.ended], [1, false], 'nobody else was signed out')

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
  const own = async (): Promise<number> => (await application.sessions?.(running)) ?? 0
  const others = await own()
  const browser = await signedIn(running, application, sub)
  const shown = presented.length
  const coats = await browser.get(origin + application.coats)
  assert.deepEqual([coats.status, coats.text], [200, '["a coat"]'])
  assert.equal(provider.introspect(presented[shown] ?? '')?.family.session.sub, sub)
  const { ended } = await application.open(browser, origin)
  if (application.sessions) assert.equal(await own(), others + 1)

  assert.equal((await running.remainsOf(sub, [])).verdict, 'remains')
  const cookie = browser.cookieHeader(origin)
  const issued = provider.issued.filter((one) => one.sub === sub).map(({ value }) => value)
  const texts = [...issued, ...browser.cookies.map(({ value }) => value)]
  await signOut(browser)

  // Whoever signed the user out was answered: from now on there is nothing.
  await assertSignedOut(running, application, sub, cookie)
  await ended
  await until('its own session ended', async () => (await own()) === others)
  await until('the refresh tokens are revoked', () =>
    provider.liveRefreshTokens().every((value) => !issued.includes(value)),
  )
  await until(`nothing is left of ${sub}`, async () => {
    const { verdict } = await running.remainsOf(sub, texts)
    return verdict === 'nothing_left'
  })
}

/** A browser in which this user has signed in, and sees it. */
async function signedIn(
  { origin, provider }: BehindTheGateway,
  { signIn, page, says }: UsedApplication,
  sub: string,
): Promise<TestBrowser> {
  const browser = startBrowser()
  provider.user = { sub }
  await browser.get(origin + signIn)
  const shown = await browser.get(origin + page)
  assert.ok(shown.text.includes(says(sub)), shown.text)
  return browser
}

/** Somebody kept the cookie, and gets nothing for it. */
async function assertSignedOut(
  { origin, presented }: BehindTheGateway,
  { page, says, coats }: UsedApplication,
  sub: string,
  cookie: string,
): Promise<void> {
  const before = presented.length
  for (const path of [page, coats]) {
    const answer = await fetch(origin + path, { headers: { cookie }, redirect: 'manual' })
    assert.ok(!(await answer.text()).includes(says(sub)))
    if (path !== '/auth/session') assert.equal(answer.status, 401, path)
  }
  assert.equal(presented.length, before, 'the API is not called any more')
}
