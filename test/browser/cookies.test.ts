import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Chromium, startChromium } from './chromium.ts'
import { html, signIn, startSite } from './site.ts'

describe('our cookies in Chromium', () => {
  let chromium: Chromium
  before(async () => {
    chromium = await startChromium()
  })
  after(() => chromium.close())

  it('are bound to the host over https and out of reach for scripts [COO-1, COO-2, COO-3, COO-4, COO-5]', async (t) => {
    const site = await startSite(t, { https: true })
    const { page, context } = await chromium.visitor(t)
    await signIn(site, page)
    const cookies = await context.cookies(site.origin)
    assert.deepEqual(
      cookies.map(({ value: _, expires: __, ...attributes }) => attributes),
      [
        {
          name: '__Host-coatcheck',
          // With a dot before it, it would be for subdomains as well.
          domain: 'app-a.localhost',
          path: '/',
          secure: true,
          httpOnly: true,
          sameSite: 'Lax',
        },
      ],
    )
    assert.equal(await page.evaluate(() => document.cookie), '')
  })

  it('cannot be replaced over https by anything that breaks the rules of the prefix [COO-5]', async (t) => {
    const site = await startSite(t, { https: true })
    site.pages.get('/plant', (_request, response) => {
      const broken = ['Path=/auth; Secure', 'Path=/', 'Path=/; Secure; Domain=app-a.localhost']
      const lines = broken.map((rest) => `__Host-coatcheck=planted; ${rest}`)
      response.set('set-cookie', [...lines, 'other=kept; Path=/']).send(html('Planted', ''))
    })
    const { page, cookieNames } = await chromium.visitor(t)
    await signIn(site, page)
    await page.goto(`${site.origin}/plant`)
    assert.deepEqual(await cookieNames(`${site.origin}/auth/`), ['__Host-coatcheck', 'other'])
    // Nor by a script, even one that keeps the rules: it may not touch what is HttpOnly.
    await page.evaluate(`document.cookie = '__Host-coatcheck=planted; Path=/; Secure'`)
    await page.goto(site.origin)
    assert.equal(await page.textContent('h1'), 'U1 is signed in')
  })

  it('are all gone after signing out over https [COO-17]', async (t) => {
    const site = await startSite(t, { https: true })
    site.provider.settings.backChannel = false
    const { page, cookieNames } = await chromium.visitor(t)
    await signIn(site, page)
    await page.click('text=Sign out')
    await page.click('button')
    await page.waitForURL(/\/auth\/signed-out/)
    assert.equal(await page.textContent('h1'), 'You are signed out')
    assert.deepEqual(await cookieNames(site.origin), [])
  })

  it('take a posted answer over https, bound to the host as well [COR-22, COO-5]', async (t) => {
    const site = await startSite(t, { https: true, responseMode: 'form_post' })
    const { page } = await chromium.visitor(t)
    await signIn(site, page)
    const posted = site.seen.find(({ method }) => method === 'POST')
    assert.equal(posted?.from, 'cross-site')
    assert.equal(posted.cookies.length, 1)
    assert.match(posted.cookies[0] ?? '', /^__Host-coatcheck\.in\./)
  })

  it('of two applications on ports of one host over http are kept apart, without the prefix [COO-2, COO-4]', async (t) => {
    const [one, two] = [await startSite(t), await startSite(t)]
    two.provider.user = { sub: 'U2' }
    const { page, context } = await chromium.visitor(t)
    await signIn(one, page)
    await signIn(two, page)
    const cookies = (await context.cookies(one.origin)).map(({ name, httpOnly, secure, path }) => ({
      name,
      httpOnly,
      secure,
      path,
    }))
    assert.deepEqual(
      cookies,
      [one, two].map(({ origin }) => ({
        name: `coatcheck-${new URL(origin).port}`,
        httpOnly: true,
        secure: false,
        path: '/',
      })),
    )
    assert.equal(await page.evaluate(() => document.cookie), '')
    await page.goto(one.origin)
    assert.equal(await page.textContent('h1'), 'U1 is signed in')
    await page.goto(two.origin)
    assert.equal(await page.textContent('h1'), 'U2 is signed in')
  })
})
