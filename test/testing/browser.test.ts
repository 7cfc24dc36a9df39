import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { startBrowser, startProvider } from '#coatcheck/testing/index'
import { authorizationRequest } from './plain-client.ts'

const app = 'https://app.test'

describe('cookies of the test browser', () => {
  it('go back to the host and path they came from, until they end', async () => {
    let time = 0
    const seen: string[] = []
    const set = [
      'here=1; Path=/a',
      'host=2; Path=/',
      'all=3; Domain=app.test; Path=/',
      'short=4; Path=/; Max-Age=10',
      'gone=5; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    ]
    const answer = (request: Request): Response => {
      seen.push(request.headers.get('cookie') ?? '')
      return new Response('', { headers: new Headers(set.map((line) => ['set-cookie', line])) })
    }
    const origins = { [app]: answer, 'https://below.app.test': answer }
    const browser = startBrowser({ origins, now: () => time })
    await browser.get(`${app}/a/one`)
    set.length = 0
    await browser.get(`${app}/a/two`)
    await browser.get(`${app}/ab`)
    await browser.get('https://below.app.test/')
    time = 10_000
    await browser.get(`${app}/`)
    set.push('host=; Path=/; Max-Age=0')
    await browser.get(`${app}/`)
    set.length = 0
    await browser.get(`${app}/`)
    assert.deepEqual(seen, [
      '',
      'here=1; host=2; all=3; short=4',
      'host=2; all=3; short=4',
      'all=3',
      'host=2; all=3',
      'host=2; all=3',
      'all=3',
    ])
  })

  it('are refused where their name promises what their attributes do not keep', async () => {
    const set = [
      '__Host-a=1; Path=/',
      '__Host-b=1; Secure; Path=/sub',
      '__Host-c=1; Secure; Path=/; Domain=app.test',
      '__Secure-d=1',
      'e=1; SameSite=None',
      'f=1; Domain=other.test',
      '__Host-good=1; Secure; Path=/',
    ]
    const headers = new Headers(set.map((line) => ['set-cookie', line]))
    const browser = startBrowser({ origins: { [app]: () => new Response('', { headers }) } })
    await browser.get(app)
    assert.deepEqual(
      browser.cookies.map(({ name }) => name),
      ['__Host-good'],
    )
  })

  it('cross sites as SameSite allows: Lax by links, None by forms, none in frames', async () => {
    const seen = new Map<string, string>()
    const headers = new Headers(
      ['strict=1; SameSite=Strict', 'lax=1', 'none=1; SameSite=None; Secure'].map((line) => [
        'set-cookie',
        `${line}; Path=/`,
      ]),
    )
    const origins = {
      [app]: (request: Request): Response => {
        seen.set(new URL(request.url).pathname, request.headers.get('cookie') ?? '')
        return new Response('', { headers })
      },
      'https://other.test': (): Response =>
        new Response(`<iframe src="${app}/frame"></iframe>`, {
          headers: { 'content-type': 'text/html' },
        }),
    }
    for (const [thirdPartyCookies, framed] of [
      [false, ''],
      [true, 'none=1'],
    ] as const) {
      const browser = startBrowser({ origins, thirdPartyCookies })
      await browser.get(`${app}/first`)
      const from = 'https://other.test/'
      await browser.get(`${app}/typed`)
      await browser.get(`${app}/link`, { from })
      await browser.post(`${app}/form`, {}, { from })
      await browser.post(`${app}/own-form`)
      await browser.get(from)
      assert.deepEqual(Object.fromEntries(seen), {
        '/first': '',
        '/typed': 'strict=1; lax=1; none=1',
        '/link': 'lax=1; none=1',
        '/form': 'none=1',
        '/own-form': 'strict=1; lax=1; none=1',
        '/frame': framed,
      })
    }
  })
})

describe('the test browser', () => {
  it('says what browsers say about a request: site, mode, destination and origin', async () => {
    const seen: string[] = []
    const answer = (request: Request): Response => {
      const names = ['sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest', 'origin']
      seen.push(names.map((name) => request.headers.get(name) ?? '-').join(' '))
      return new Response('<form method="post" action="/post"></form>', {
        headers: { 'content-type': 'text/html', 'referrer-policy': 'no-referrer' },
      })
    }
    const browser = startBrowser({ origins: { [app]: answer } })
    const page = await browser.get(app)
    await browser.submit(page)
    await browser.post(`${app}/post`)
    await browser.post(`${app}/post`, {}, { from: 'https://below.app.test' })
    await browser.post(`${app}/post`, {}, { from: 'https://other.test' })
    assert.deepEqual(seen, [
      'none navigate document -',
      'same-origin navigate document null',
      `same-origin navigate document ${app}`,
      'same-site navigate document https://below.app.test',
      'cross-site navigate document https://other.test',
    ])
  })

  it('turns a POST into a GET at 303 and keeps it at 307', async () => {
    const origins = {
      [app]: async (request: Request): Promise<Response> => {
        const { pathname } = new URL(request.url)
        const status = Number(pathname.slice(1))
        const location = { location: '/end' }
        if (status > 0) return new Response(null, { status, headers: location })
        return new Response(`${request.method} ${await request.text()}`)
      },
    }
    const browser = startBrowser({ origins })
    assert.equal((await browser.post(`${app}/303`, { a: '1' })).text, 'GET ')
    assert.equal((await browser.post(`${app}/307`, { a: '1' })).text, 'POST a=1')
    const page = await browser.post(`${app}/303`, {}, { follow: false })
    assert.equal(page.status, 303)
    assert.equal((await browser.follow(page))?.url.pathname, '/end')
    assert.deepEqual(
      browser.history.map(({ method, status }) => `${method} ${status}`),
      ['POST 303', 'GET 200', 'POST 307', 'POST 200', 'POST 303', 'GET 200'],
    )
  })

  it('reaches *.localhost over real sockets and keeps Secure cookies there', async (t) => {
    const seen: string[] = []
    const server = createServer((request, response) => {
      seen.push(`${request.headers.host?.split(':')[0]} ${request.headers.cookie ?? '-'}`)
      response.setHeader('set-cookie', ['__Host-a=1; Path=/; Secure', 'b=2; Path=/'])
      response.end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const browser = startBrowser()
    await browser.get(`http://a.localhost:${port}/`)
    await browser.get(`http://a.localhost:${port}/`)
    await browser.get(`http://b.localhost:${port}/`)
    assert.deepEqual(seen, ['a.localhost -', 'a.localhost __Host-a=1; b=2', 'b.localhost -'])
    const elsewhere = startBrowser({ resolve: () => '127.0.0.1' })
    assert.equal((await elsewhere.get(`http://app.test:${port}/`)).status, 200)
  })

  it('goes through a provider: form_post, then frames without cookies, then on', async (t) => {
    const provider = await startProvider({ host: 'op.localhost', settings: { frontChannel: true } })
    t.after(() => provider.close())
    provider.register({ client_id: 'app', origin: app })
    const seen: string[] = []
    const browser = startBrowser({
      origins: {
        [app]: async (request) => {
          const { pathname, searchParams } = new URL(request.url)
          const cookie = request.headers.get('cookie') ?? 'no cookie'
          const form = new URLSearchParams(await request.text())
          const names = [...form.keys(), ...searchParams.keys()].sort().join(' ')
          seen.push(`${request.method} ${pathname} ${cookie}: ${names}`)
          const headers = { 'set-cookie': 'lax=1; Path=/' }
          return new Response('done', { headers })
        },
      },
    })
    await browser.get(app)
    const redirect_uri = `${app}/auth/callback`
    const { query } = authorizationRequest({ redirect_uri, response_mode: 'form_post' })
    const signedIn = await browser.get(`${provider.metadata.authorization_endpoint}?${query}`)
    assert.equal(signedIn.url.href, redirect_uri)
    provider.settings.backChannel = false
    const back = new URLSearchParams({
      client_id: 'app',
      post_logout_redirect_uri: `${app}/auth/signed-out`,
    })
    const signedOut = await browser.get(`${provider.metadata.end_session_endpoint}?${back}`)
    assert.equal(signedOut.url.pathname, '/auth/signed-out')
    assert.deepEqual(seen, [
      'GET / no cookie: ',
      'POST /auth/callback no cookie: code iss state',
      'GET /auth/frontchannel-logout no cookie: iss sid',
      'GET /auth/signed-out lax=1: ',
    ])
    assert.equal(browser.cookies.length, 1, 'the cookie of the provider is gone')
  })
})
