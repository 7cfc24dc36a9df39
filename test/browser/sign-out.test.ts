import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { RequestHandler } from 'express'
import helmet from 'helmet'
import type { Page } from 'playwright-core'
import { requireSession } from '#coatcheck/adapters/express'
import { type Chromium, startChromium, type Visitor } from './chromium.ts'
import { html, type Site, signIn, startSite, startStranger } from './site.ts'

describe('signing out in Chromium', () => {
  let chromium: Chromium
  before(async () => {
    chromium = await startChromium()
  })
  after(() => chromium.close())

  it('goes through the one-button page to the provider and back, leaving no cookie [RPI-2, RPI-5]', async (t) => {
    const site = await startSite(t)
    const visitor = await chromium.visitor(t)
    await signIn(site, visitor.page)
    await signOut(visitor)
    await assertSignedOut(site, visitor)
  })

  it('posts a long hint by a form that submits itself, and the provider leads back [RPI-14, RPI-2]', async (t) => {
    const site = await startSite(t)
    site.provider.next('id_token', ({ claims }) => {
      claims['groups'] = 'group '.repeat(1000)
    })
    const visitor = await chromium.visitor(t)
    await signIn(site, visitor.page)
    await signOut(visitor)
    await assertSignedOut(site, visitor)
    const { method, url, form } = await site.provider.received('end_session')
    assert.deepEqual([method, new URL(url).search], ['POST', ''])
    assert.ok((form.get('id_token_hint') ?? '').length > 6000)
  })

  for (const hint of ['short', 'long']) {
    it(`comes back from a provider that passes through another host on the way, with a ${hint} hint [RPI-2]`, async (t) => {
      const site = await startSite(t)
      const elsewhere = await startStranger(t, 'login.another.localhost', { https: true })
      elsewhere.pages.get('/onward', (request, response) => {
        response.redirect(303, String(request.query['to']))
      })
      site.provider.next('end_session', ({ headers }) => {
        const to = encodeURIComponent(String(headers['location']))
        headers['location'] = `${elsewhere.origin}/onward?to=${to}`
      })
      site.provider.next('id_token', ({ claims }) => {
        claims['groups'] = 'group '.repeat(hint === 'long' ? 1000 : 1)
      })
      const visitor = await chromium.visitor(t)
      await signIn(site, visitor.page)
      await signOut(visitor)
      await assertSignedOut(site, visitor)
    })
  }

  it("works from a button of the application's own where its policy lets forms lead to the provider", async (t) => {
    const site = await startSite(t)
    const visitor = await chromium.visitor(t)
    const directives = { 'form-action': ["'self'", 'https:', site.provider.issuer] }
    ownButton(site, helmet({ contentSecurityPolicy: { directives } }))
    await signIn(site, visitor.page)
    await visitor.page.goto(`${site.origin}/own`)
    await visitor.page.click('button')
    await visitor.page.waitForURL(/\/own$/)
    await visitor.page.waitForSelector('text=Nobody')
    assert.equal(site.provider.sessions[0]?.ended, true)
  })

  it("signs out here, but not at the provider, from a button of a page with helmet's own policy", async (t) => {
    const site = await startSite(t)
    const visitor = await chromium.visitor(t)
    visitor.expected.push(/violates .* "form-action 'self'"/)
    ownButton(site, helmet())
    await signIn(site, visitor.page)
    await visitor.page.goto(`${site.origin}/own`)
    const blocked = visitor.context.waitForEvent('requestfailed')
    await visitor.page.click('button')
    await blocked
    assert.equal(site.heard('signed_out')[0]?.receipt.removed, 1)
    assert.equal(site.provider.count('end_session'), 0)
    await visitor.page.reload()
    assert.equal(await visitor.page.textContent('h1'), 'Nobody')
  })

  it('shows nothing protected to whoever presses Back after signing out here [COO-18]', async (t) => {
    const site = await startSite(t)
    const visitor = await chromium.visitor(t)
    const { page } = visitor
    await signIn(site, page)
    await signOut(visitor)
    askWho(site)
    await goBack(page, 'Sign out?')
    await goBack(page, 'Who are you?')
    assert.equal(new URL(page.url()).origin, site.provider.issuer)
  })

  it('lets a page that was kept for Back notice that the user signed out elsewhere [COO-18]', async (t) => {
    const site = await startSite(t)
    site.pages.get('/kept', requireSession(site.auth), (_request, response) => {
      response.send(html('Kept for Back', noticing))
    })
    const { page } = await chromium.visitor(t)
    await signIn(site, page)
    await page.goto(`${site.origin}/kept`)
    await page.goto(site.origin)
    const [session] = site.provider.sessions
    const [delivery] = await site.provider.endSession(session?.sid ?? '')
    assert.equal(delivery?.status, 200)
    askWho(site)
    await goBack(page, 'Who are you?')
    // It was kept: the reload is its script's doing.
    const asked = site.seen.slice(-3).map(({ path }) => path)
    assert.deepEqual(asked, ['/auth/session', '/kept', '/auth/sign-in'])
  })
})

async function signOut({ page }: Visitor): Promise<void> {
  await page.click('text=Sign out')
  await page.click('button')
  await page.waitForURL(/\/auth\/signed-out/)
}

async function assertSignedOut(site: Site, visitor: Visitor): Promise<void> {
  assert.equal(await visitor.page.textContent('h1'), 'You are signed out')
  assert.deepEqual(await visitor.cookieNames(site.origin), [])
  assert.deepEqual(await site.auth.sessions({ subject: site.provider.user.sub }), [])
  assert.equal(site.provider.sessions[0]?.ended, true)
}

/** Presses Back, and waits for a page with this heading. */
async function goBack(page: Page, heading: string): Promise<void> {
  // Playwright's own way waits for a load, which a page kept for Back does not have.
  await page.evaluate(() => void setTimeout(() => history.back()))
  await page.waitForSelector(`h1:text-is("${heading}")`)
}

/** From now on the provider wants to see the user. */
function askWho({ provider }: Site): void {
  const answer = { status: 200, headers: { 'content-type': 'text/html' } }
  const body = html('Who are you?', '')
  provider.next('authorization', { ...answer, body }, { times: Number.POSITIVE_INFINITY })
}

/** `no-store` keeps no page out of the back-forward cache as long as its cookies stay the same. */
const noticing = `<script>
addEventListener('pageshow', async ({ persisted }) => {
  if (!persisted) return
  const { authenticated } = await (await fetch('/auth/session')).json()
  if (!authenticated) location.reload()
})
</script>`

/** A page with a form of the application's own, behind this helmet. */
function ownButton(site: Site, policy: RequestHandler): void {
  site.pages.get('/own', policy, async (request, response) => {
    const session = await site.auth.session(request)
    const form = `<form method="post" action="/auth/sign-out">
      <input type="hidden" name="return_to" value="/own"><button>Sign out</button></form>`
    response.send(html(session?.subject ?? 'Nobody', form))
  })
}
