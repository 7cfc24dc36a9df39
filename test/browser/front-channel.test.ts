import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import type { Frame, Page } from 'playwright-core'
import {
  type Chromium,
  startChromium,
  type Visitor,
  visitorWithThirdPartyCookies,
} from './chromium.ts'
import { html, type Site, signIn, startSite, startStranger } from './site.ts'

describe('front-channel sign-out in Chromium', () => {
  let chromium: Chromium
  before(async () => {
    chromium = await startChromium()
  })
  after(() => chromium.close())

  it("signs the user out by a frame on the provider's page, which loads behind helmet, while third-party cookies are blocked [FCL-1, FCL-4, FCL-13, FCL-14]", async (t) => {
    await assertToldByFrame(await startSite(t), await chromium.visitor(t))
  })

  it('signs the user out the same where third-party cookies are allowed: a Lax cookie does not come along [FCL-1, FCL-14, COO-8]', async (t) => {
    await assertToldByFrame(await startSite(t), await visitorWithThirdPartyCookies(t))
  })

  it('gets no cookie of any kind into the frame, and loses none by it, as Chromium comes [COO-8, COO-9, COO-10]', async (t) => {
    assert.deepEqual(await cookiesInFrame(t, await chromium.visitor(t)), {
      sent: [],
      left: ['lax', 'none', 'partitioned', 'strict'],
    })
  })

  it('gets into the frame only what is SameSite=None, and never what is Partitioned, where third-party cookies are allowed [COO-8, COO-9, COO-10]', async (t) => {
    assert.deepEqual(await cookiesInFrame(t, await visitorWithThirdPartyCookies(t)), {
      sent: ['none'],
      // `Clear-Site-Data` empties the jar it can reach, and that is all of it.
      left: ['partitioned'],
    })
  })

  it('cannot know who is meant where the provider names no session, ends nothing, and says so [FCL-9, FCL-19]', async (t) => {
    const site = await startSite(t)
    const [client] = site.provider.clients.values()
    assert.ok(client)
    client.frontchannel_logout_session_required = false
    const { page } = await chromium.visitor(t)
    await signIn(site, page)
    assert.equal(await (await endAtProvider(site, page)).textContent('h1'), 'Signed out')
    assert.equal(site.heard('front_channel_unidentified').length, 1)
    await page.goto(site.origin)
    assert.equal(await page.textContent('h1'), 'U1 is signed in')
  })

  it('is shown in a frame to the provider only [FCL-4]', async (t) => {
    const site = await startSite(t)
    const { origin, pages } = await startStranger(t, 'stranger.localhost')
    pages.get('/', (_request, response) => {
      response.send(html('', `<iframe src="${site.origin}/auth/frontchannel-logout"></iframe>`))
    })
    const { page, expected } = await chromium.visitor(t)
    expected.push(/frame-ancestors http:\/\/op\.localhost/)
    await page.goto(origin)
    assert.equal(await page.frames()[1]?.locator('h1:text-is("Signed out")').count(), 0)
  })
})

/** Signs in, signs out at the provider, and asserts what the frame did and with what. */
async function assertToldByFrame(site: Site, { page, cookieNames }: Visitor): Promise<void> {
  await signIn(site, page)

  const frame = await endAtProvider(site, page)

  assert.equal(await frame.textContent('h1'), 'Signed out')
  const asked = site.seen.filter(({ as }) => as === 'iframe')
  assert.deepEqual(
    asked.map(({ path, from, cookies }) => ({ path, from, cookies })),
    [{ path: '/auth/frontchannel-logout', from: 'cross-site', cookies: [] }],
  )
  assert.deepEqual(
    site.heard('signed_out').map(({ receipt }) => [receipt.cause, receipt.removed]),
    [['front_channel', 1]],
  )
  // The browser still has its ticket, and it is good for nothing.
  assert.equal((await cookieNames(site.origin)).length, 1)
  await page.goto(site.origin)
  assert.equal(await page.textContent('h1'), 'Nobody is signed in')
}

/** Signs out at the provider, which tells applications by frames only; answers the frame. */
async function endAtProvider({ provider }: Pick<Site, 'provider'>, page: Page): Promise<Frame> {
  Object.assign(provider.settings, { frontChannel: true, backChannel: false })
  await page.goto(`${provider.issuer}/end-session`)
  const [, frame] = page.frames()
  assert.ok(frame, 'there is no frame')
  await frame.waitForSelector('h1')
  return frame
}

/**
 * Which of the cookies that a page of the application set come along into its frame on the
 * provider's page, and which are left after that frame has tried to remove them all.
 */
async function cookiesInFrame(
  t: TestContext,
  { page, cookieNames }: Visitor,
): Promise<{ readonly sent: readonly string[]; readonly left: readonly string[] }> {
  const { provider, pages, origin, seen } = await startSite(t)
  const kinds = {
    lax: 'SameSite=Lax',
    strict: 'SameSite=Strict',
    none: 'SameSite=None; Secure',
    partitioned: 'SameSite=None; Secure; Partitioned',
  }
  const lines = (rest: string): string[] =>
    Object.entries(kinds).map(([name, kind]) => `${name}=1; Path=/; HttpOnly; ${kind}${rest}`)
  pages.get('/set', (_request, response) => {
    response.set('set-cookie', lines('')).send(html('Set', ''))
  })
  pages.get('/frame', (_request, response) => {
    response.set('clear-site-data', '"cookies"')
    response.set('set-cookie', lines('; Max-Age=0')).send(html('Frame', ''))
  })
  provider.next('end_session', (answer) => {
    answer.body = html('Provider', `<iframe src="${origin}/frame"></iframe>`)
  })
  await page.goto(`${origin}/set`)
  assert.equal((await cookieNames(origin)).length, 4)
  await endAtProvider({ provider }, page)
  const asked = seen.find(({ path }) => path === '/frame')
  return { sent: [...(asked?.cookies ?? ['?'])].sort(), left: (await cookieNames(origin)).sort() }
}
