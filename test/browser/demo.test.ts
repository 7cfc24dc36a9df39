import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { type Demo, startDemo } from '../../demo/demo.ts'
import { root } from '../../scripts/run.mjs'
import { type Chromium, startChromium } from './chromium.ts'

describe('the demo in Chromium', () => {
  let demo: Demo
  let chromium: Chromium
  before(async () => {
    chromium = await startChromium()
    demo = await startDemo()
  })
  after(async () => {
    await chromium.close()
    await demo.stop()
  })

  it('signs out of A, in both its processes, who signs out at B: the open page shows it, and the next click asks who it is [INV-1]', async (t) => {
    const { page: a, context } = await chromium.visitor(t)
    await a.goto(demo.origins.a)
    await a.click('text=Sign in')
    await a.click('text=Alice')
    await a.waitForSelector('text=Hello, Alice')
    await a.click('text=Refresh, then call')
    await a.waitForSelector('text=a yellow raincoat')
    const b = await context.newPage()
    await b.goto(demo.origins.b)
    await b.click('text=Sign in')
    await b.waitForSelector('text=Hello, Alice')
    await shows(a, '1 1 1 1')
    const text = (await a.textContent('main')) ?? ''
    for (const { pid } of demo.direct) assert.ok(text.includes(`pid ${pid}`))
    await keep(a, 'demo-signed-in')

    await b.click('text=Sign out')
    await b.click('text=Yes, sign out')
    await b.waitForSelector('text=You are not signed in')

    await shows(a, '0 0 0 0')
    await a.waitForSelector('text=You were signed out somewhere else')
    await a.waitForSelector('text=Signed out (told by the provider, back-channel): 1 removed')
    await a.waitForSelector('text=The provider was asked to revoke a refresh token: confirmed')
    await a.waitForSelector('text=The provider was asked to revoke an access token')
    await keep(a, 'demo-signed-out')
    await a.click('text=Call the API')
    await a.waitForSelector('text=Who are you?')
    assert.equal(new URL(a.url()).origin, demo.origins.provider)
  })

  it('signs out of B, which gets no cookie in its frame, who signs out at A [FCL-1, FCL-13]', async (t) => {
    const { page: a, context } = await chromium.visitor(t)
    await a.goto(demo.origins.a)
    await a.click('text=Sign in')
    await a.click('text=Bob')
    await a.waitForSelector('text=Hello, Bob')
    const b = await context.newPage()
    await b.goto(demo.origins.b)
    await b.click('text=Sign in')
    await b.waitForSelector('text=Hello, Bob')
    await shows(b, '1 1 1 1')
    const framed = context.waitForEvent('request', (request) =>
      request.url().startsWith(`${demo.origins.b}/auth/frontchannel-logout`),
    )

    await a.click('text=Sign out')
    await a.click('text=Yes, sign out')

    const asked = await framed
    assert.equal((await asked.allHeaders())['cookie'], undefined)
    assert.equal((await asked.response())?.status(), 200)
    await shows(b, '0 0 0 0')
    await b.waitForSelector('text=Signed out (told in the browser, front-channel): 1 removed')
    await a.waitForSelector('text=You are not signed in')
    await b.click('text=Call the API')
    await b.waitForSelector('text=Who are you?')
  })

  it('fits the window, large or small, and holds no token in any page', async (t) => {
    const { page } = await chromium.visitor(t)
    await page.goto(demo.origins.a)
    await page.click('text=Sign in')
    const issued = demo.provider.log.issued.length
    await page.click('text=Alice')
    await page.click('text=Call the API')
    await page.waitForSelector('text=a yellow raincoat')
    const refreshToken = demo.provider.log.refreshToken(issued + 1)
    assert.ok(refreshToken)
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 })
      const wide = await page.evaluate(() => document.documentElement.scrollWidth)
      assert.ok(wide <= width, `${wide} pixels in a window of ${width}`)
    }
    const content = await page.content()
    // Every JWT begins so.
    assert.ok(!content.includes('eyJ') && !content.includes(refreshToken), 'a token is on the page')
  })
})

/** Waits until every panel of the page has these counts: sessions, access, refresh, ID tokens. */
async function shows(page: Page, counts: string): Promise<void> {
  await page.waitForFunction((wanted) => {
    const panels = [...document.querySelectorAll('[data-panel]')]
    const shown = panels.map((panel) =>
      [...panel.querySelectorAll('.counts b')].map((number) => number.textContent).join(' '),
    )
    return shown.length > 0 && shown.every((one) => one === wanted)
  }, counts)
}

/** Keeps what a person would see, where that is wanted: `SCREENSHOTS=1 npm test -- browser/demo`. */
async function keep(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] === undefined) return
  await page.screenshot({ path: join(root, `docs/${name}.png`), fullPage: true })
}
