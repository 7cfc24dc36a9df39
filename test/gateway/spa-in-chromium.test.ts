import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { type Chromium, startChromium, type Visitor } from '../browser/chromium.ts'
import { type BehindTheGateway, behindTheGateway } from './behind-the-gateway.ts'
import { singlePageApplication } from './single-page-application.ts'

describe('the single-page application behind the gateway, in Chromium', () => {
  let chromium: Chromium
  before(async () => {
    chromium = await startChromium()
  })
  after(() => chromium.close())

  async function open(t: TestContext): Promise<Visitor & { readonly site: BehindTheGateway }> {
    // The browser is closed first: streams that are cut off would be complaints.
    const visitor = await chromium.visitor(t)
    return { ...visitor, site: await behindTheGateway(t, singlePageApplication) }
  }

  it('uses an API as the user, and no token is ever visible to its JavaScript', async (t) => {
    const { context, page, expected, site } = await open(t)
    // Not all that a script may try is there.
    expected.push(/status of 40[04]/)
    const answers = listen(context, site.origin)
    await signIn(page, site)

    const visible = [...(await everythingIn(page)), ...(await Promise.all(answers))]
    assert.ok(visible.some((text) => text.includes('["a coat"]')))
    const { provider } = site
    const tokens = provider.issued.filter(({ kind }) => kind.endsWith('_token'))
    assert.deepEqual(
      [...new Set(tokens.map(({ kind }) => kind))].sort(),
      ['access_token', 'id_token', 'refresh_token'],
      'the user has tokens',
    )
    assert.ok(site.presented.every((shown) => tokens.some(({ value }) => value === shown)))
    for (const secret of provider.secrets()) {
      assert.ok(
        !visible.some((text) => text.includes(secret)),
        'a secret of the provider is visible',
      )
    }
    assert.equal(await page.evaluate(() => document.cookie), '')
  })

  it('shows in one tab that the user signed out in another', async (t) => {
    const { context, page, expected, site } = await open(t)
    await signIn(page, site)
    const other = await context.newPage()
    await other.goto(site.origin)
    await other.waitForSelector('text=a coat came in')

    await page.click('button')
    await page.waitForURL(/\/auth\/signed-out/)
    assert.equal(site.provider.sessions[0]?.ended, true)
    await other.waitForSelector('h1:text-is("Nobody is signed in")')
    await other.waitForSelector('#signed-in', { state: 'detached' })
    assert.equal(await other.evaluate(async () => (await fetch('/api/coats')).status), 401)
    expected.push(/ERR_INCOMPLETE_CHUNKED_ENCODING/, /status of 401/)
  })
})

async function signIn(page: Page, { origin, provider }: BehindTheGateway): Promise<void> {
  provider.user = { sub: 'ada' }
  await page.goto(origin)
  await page.click('text=Sign in')
  await page.waitForSelector('h1:text-is("User ada is signed in")')
  await page.waitForSelector('text=a coat came in')
}

/** What the gateway answers to pages and to scripts, as soon as it is complete. */
function listen(context: BrowserContext, origin: string): Promise<string>[] {
  const answers: Promise<string>[] = []
  context.on('response', (response) => {
    const type = response.headers()['content-type'] ?? ''
    // A redirect is followed by the browser, unseen by scripts; a stream has no end.
    const isUnseen = response.status() >= 300 || type.includes('event-stream')
    if (!response.url().startsWith(origin) || isUnseen) return
    answers.push(response.text().then((text) => JSON.stringify(response.headers()) + text))
  })
  return answers
}

/** Everything a script of the page can read, and what it is answered at all addresses it may try. */
function everythingIn(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const paths = ['/', '/app.js', '/auth/session', '/auth/sign-in', '/auth/callback', '/api/coats']
    const others = ['/token', '/.well-known/jwks.json', '/auth/sign-out', '/metrics', '/readyz']
    const answers = [...paths, ...others].map(async (path) => {
      const answer = await fetch(path, { redirect: 'manual' })
      return `${path} ${JSON.stringify([...answer.headers])} ${await answer.text()}`
    })
    return [
      document.documentElement.outerHTML,
      document.cookie,
      document.referrer,
      location.href,
      JSON.stringify(await cookieStore.getAll()),
      JSON.stringify({ ...localStorage }),
      JSON.stringify({ ...sessionStorage }),
      JSON.stringify(await indexedDB.databases()),
      JSON.stringify(await caches.keys()),
      JSON.stringify(performance.getEntries()),
      ...(await Promise.all(answers)),
    ]
  })
}
