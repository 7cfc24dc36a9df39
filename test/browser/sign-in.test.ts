import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Chromium, startChromium } from './chromium.ts'
import { signIn, startSite } from './site.ts'

describe('signing in in Chromium', () => {
  let chromium: Chromium
  before(async () => {
    chromium = await startChromium()
  })
  after(() => chromium.close())

  it('ends at the page that was wanted: no code or state in the address, the history or a referrer [SEC-5]', async (t) => {
    const site = await startSite(t)
    const { page } = await chromium.visitor(t)
    await page.goto(site.origin)
    await page.click('text=Sign in')
    await page.waitForSelector('h1:text-is("Account")')
    assert.equal(page.url(), `${site.origin}/account`)
    assert.equal(await page.evaluate(() => document.referrer), '')
    // The first page and this one: nothing in between can be gone back to.
    assert.equal(await page.evaluate(() => navigation.entries().length), 2)
  })

  it('says nothing of where it came from when a link on the error page of a callback is followed [SEC-5]', async (t) => {
    const site = await startSite(t)
    const { page, expected } = await chromium.visitor(t)
    expected.push(/status of 400/)
    await page.goto(`${site.origin}/auth/callback?code=a-code&state=a-state`)
    await page.click('a')
    await page.waitForSelector(`h1:text-is("U1 is signed in")`)
    const headers = site.provider.requests.map(({ headers }) => headers.get('referer'))
    const referrers = [...site.seen.map(({ referer }) => referer ?? null), ...headers]
    assert.ok(referrers.length > 3)
    assert.deepEqual(
      referrers.filter((referrer) => referrer !== null),
      [],
    )
  })

  it('completes in several tabs at once, whichever comes first, and leaves one session [COO-15]', async (t) => {
    const site = await startSite(t)
    const { context, page, cookieNames } = await chromium.visitor(t)
    const hold = site.provider.hold('authorization')
    const tabs = [page, await context.newPage(), await context.newPage()]
    const arrivals = []
    for (const [at, tab] of tabs.entries()) {
      const gone = tab.goto(`${site.origin}/auth/sign-in?return_to=/account?tab=${at}`)
      arrivals.push(gone)
      await hold.received(at + 1)
    }
    assert.equal((await cookieNames(site.origin)).length, 3)
    for (const at of [2, 0, 1]) {
      hold.held[at]?.release()
      await arrivals[at]
      assert.equal(tabs[at]?.url(), `${site.origin}/account?tab=${at}`)
      assert.equal(await tabs[at]?.textContent('p'), 'the coat of U1')
    }
    assert.equal((await site.auth.sessions({ subject: 'U1' })).length, 1)
    assert.equal((await cookieNames(site.origin)).length, 1)
    for (const tab of tabs) {
      await tab.reload()
      assert.equal(await tab.textContent('p'), 'the coat of U1')
    }
  })

  it('takes an answer that the provider posts across sites, where Lax cookies stay at home [COR-22]', async (t) => {
    const site = await startSite(t, { responseMode: 'form_post' })
    const { page, context } = await chromium.visitor(t)
    await signIn(site, page)
    site.provider.user = { sub: 'U2' }

    const hold = site.provider.hold('authorization')
    const arrived = page.goto(
      `${site.origin}/auth/sign-in?prompt=login&login_hint=U2&return_to=/account`,
    )
    await hold.received()
    const pending = (await context.cookies(site.origin)).filter(({ name }) => name.includes('.in.'))
    assert.equal(pending.length, 1)
    const [{ secure, httpOnly, sameSite, expires } = { expires: 0 }] = pending
    assert.deepEqual(
      { secure, httpOnly, sameSite },
      { secure: true, httpOnly: true, sameSite: 'None' },
    )
    const [answer] = site.provider.requests.slice(-1)
    assert.ok(answer && expires <= answer.at / 1000 + 660)
    hold.release()
    await arrived

    assert.equal(await page.textContent('p'), 'the coat of U2')
    const posted = site.seen.findLast(({ method }) => method === 'POST')
    assert.deepEqual([posted?.path, posted?.from], ['/auth/callback', 'cross-site'])
    assert.deepEqual(
      posted?.cookies,
      pending.map(({ name }) => name),
    )
    // The session that was there before is over, although its cookie did not come along.
    assert.deepEqual(await site.auth.sessions({ subject: 'U1' }), [])
    const [left, ...others] = await context.cookies(site.origin)
    assert.deepEqual([left?.sameSite, others.length], ['Lax', 0])
  })

  it("shows nothing of a provider's error that could be markup, a link or a script [COR-10, SEC-10]", async (t) => {
    const site = await startSite(t)
    const { page, expected } = await chromium.visitor(t)
    expected.push(/status of 400/)
    const hostile = `"><script>document.title = 'taken'</script><img src=x onerror="document.title='taken'"><a href="//evil">`
    site.provider.next('authorization_response', (answer) => {
      answer.delete('code')
      answer.set('error', 'access_denied')
      answer.set('error_description', hostile)
      answer.set('error_uri', `javascript:document.title='taken'`)
    })
    await page.goto(`${site.origin}/auth/sign-in`)
    assert.equal(await page.textContent('h1'), 'The sign-in was not completed')
    assert.equal(await page.title(), 'The sign-in was not completed')
    assert.equal(await page.locator('script, img, iframe, form').count(), 0)
    const links = await page
      .locator('a')
      .evaluateAll((all) => all.map((a) => a.getAttribute('href')))
    assert.deepEqual(links, ['/auth/sign-in'])
    assert.doesNotMatch(await page.content(), /taken|evil|access_denied/)
    await page.click('a')
    assert.equal(await page.textContent('h1'), 'U1 is signed in')
  })
})
