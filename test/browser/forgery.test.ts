import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { depart, permitted } from '../support/requests.ts'
import { type Chromium, startChromium, type Visitor } from './chromium.ts'
import { html, type Site, signIn, startSite, startStranger } from './site.ts'

describe('pages of others in Chromium', () => {
  let chromium: Chromium
  before(async () => {
    chromium = await startChromium()
  })
  after(() => chromium.close())

  // Whatever stands before the last dot but one is the same site: its requests carry Lax cookies.
  const others = [
    { who: 'another site', host: 'stranger.localhost', from: 'cross-site', withCookie: false },
    { who: 'a sibling subdomain', host: 'b.lab.localhost', from: 'same-site', withCookie: true },
  ]
  for (const { who, host, from, withCookie } of others) {
    it(`cannot sign the user out: a form that posts from ${who} is refused [RPI-10, COO-11, COO-13]`, async (t) => {
      const { site, visitor, origin } = await signedInNextTo(t, host, (target) => ({
        '/post': `<form method="post" action="${target}/auth/sign-out"><button>Win</button></form>`,
      }))
      visitor.expected.push(/status of 403/)
      await visitor.page.goto(`${origin}/post`)
      await visitor.page.click('button')
      await visitor.page.waitForSelector('h1:text-is("Refused")')
      const asked = site.seen.find(({ method }) => method === 'POST')
      assert.equal(asked?.from, from)
      assert.equal(asked.cookies.length === 1, withCookie)
      await assertStillSignedIn(site, visitor)
    })

    it(`cannot sign the user out: neither an image, nor a script, nor fetch from ${who} [RPI-10, COO-11, COO-13]`, async (t) => {
      const { site, visitor, origin } = await signedInNextTo(t, host, (target) => ({
        '/embeds': `<img alt="" src="${target}/auth/sign-out"><script src="${target}/auth/sign-out"></script>
          <script>
            const send = (method) => fetch('${target}/auth/sign-out', { method, mode: 'no-cors', credentials: 'include' })
            Promise.allSettled([send('GET'), send('POST')]).then(() => document.title = 'done')
          </script>`,
      }))
      visitor.expected.push(/ERR_BLOCKED_BY_RESPONSE/)
      await visitor.page.goto(`${origin}/embeds`)
      await visitor.page.waitForFunction(() => document.title === 'done')
      const asked = site.seen.filter(({ path }) => path === '/auth/sign-out')
      assert.deepEqual(asked.map(({ method }) => method).sort(), ['GET', 'GET', 'GET', 'POST'])
      await assertStillSignedIn(site, visitor)
    })

    it(`cannot show the sign-out button in a frame to lure a click, from ${who}`, async (t) => {
      const { site, visitor, origin } = await signedInNextTo(t, host, (target) => ({
        '/frame': `<iframe src="${target}/auth/sign-out"></iframe>`,
      }))
      visitor.expected.push(/frame-ancestors 'none'/)
      await visitor.page.goto(`${origin}/frame`)
      assert.equal(await visitor.page.frames()[1]?.locator('button').count(), 0)
      await assertStillSignedIn(site, visitor)
    })
  }

  it('cannot sign the user in as somebody else by a callback this browser did not ask for [SEC-2, COR-2]', async (t) => {
    const site = await startSite(t)
    const visitor = await chromium.visitor(t)
    await signIn(site, visitor.page)
    site.provider.user = { sub: 'stranger' }
    const callback = await permitted(site, await depart(site))
    const { origin, pages } = await startStranger(t, 'stranger.localhost')
    pages.get('/', (_request, response) => {
      response.send(
        html('Something else', `<script>location = ${JSON.stringify(callback)}</script>`),
      )
    })
    visitor.expected.push(/status of 400/)
    await visitor.page.goto(origin)
    await visitor.page.waitForSelector('h1:text-is("This sign-in is no longer known")')
    assert.equal(site.provider.count('token'), 1)
    await assertStillSignedIn(site, visitor)
  })

  async function signedInNextTo(
    t: TestContext,
    host: string,
    bodies: (target: string) => Readonly<Record<string, string>>,
  ): Promise<{ site: Site; visitor: Visitor; origin: string }> {
    const site = await startSite(t, { host: 'a.lab.localhost' })
    const { origin, pages } = await startStranger(t, host)
    for (const [path, body] of Object.entries(bodies(site.origin))) {
      pages.get(path, (_request, response) => {
        response.send(html('Something else', body))
      })
    }
    const visitor = await chromium.visitor(t)
    await signIn(site, visitor.page)
    return { site, visitor, origin }
  }
})

async function assertStillSignedIn(site: Site, { page }: Visitor): Promise<void> {
  assert.deepEqual(site.heard('signed_out'), [])
  await page.goto(site.origin)
  assert.equal(await page.textContent('h1'), 'U1 is signed in')
}
