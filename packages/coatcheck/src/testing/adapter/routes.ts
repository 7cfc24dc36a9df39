import assert from 'node:assert/strict'
import { type StartApplication, withApplication } from './application.ts'
import { ask, begin, form, leave } from './ask.ts'
import { latch } from './latch.ts'
import { origin } from './stand-in.ts'

type RegisterTest = (title: string, run: () => Promise<void>) => unknown

/** What reaches the core, what comes back, and what is none of its business. */
export function testRoutes(it: RegisterTest, start: StartApplication): void {
  it('serves the routes of coatcheck and leaves every other path to the application', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      assert.equal((await ask(url, { path: '/hello' })).text, 'hello')
      assert.equal((await ask(url, { path: '/nowhere' })).status, 404)
      assert.equal(auth.seen.length, 0)
      assert.equal((await ask(url, { path: '/auth/sign-out' })).text, '<p>/auth/sign-out</p>')
    }))

  it('sends each cookie as a header of its own', () =>
    withApplication(start, {}, async ({ url }) => {
      const answer = await ask(url, { path: '/auth/callback?code=1' })
      assert.equal(answer.status, 303)
      assert.equal(answer.headers.location, '/home?code=1')
      assert.deepEqual(answer.headers['set-cookie'], [
        'session=alice; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly',
        'pending=; Max-Age=0',
      ])
    }))

  it('keeps to the public origin whatever Host, Forwarded and the target claim [SEC-7]', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      const headers = {
        host: 'evil.example',
        forwarded: 'host=evil.example;proto=http',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'http',
        'x-forwarded-port': '81',
        'x-forwarded-prefix': '/evil',
        'x-original-url': '/evil',
      }
      await ask(url, { path: '/auth/callback?code=1&state=a%20b', headers })
      await ask(url, { path: 'http://evil.example/auth/callback?code=2' })
      assert.deepEqual(
        auth.seen.map((request) => request.url),
        [`${origin}/auth/callback?code=1&state=a%20b`, `${origin}/auth/callback?code=2`],
      )
    }))

  for (const path of [
    '//auth/callback',
    '///auth/callback',
    '/auth/%63allback',
    '/%61uth/callback',
    '/auth%2Fcallback',
    '/auth/callback/',
    '/AUTH/callback',
    '/auth/callback;x=1',
    '/auth/callback%3Fcode=1',
    'http://evil.example?/auth/callback',
    '/?/auth/callback',
  ]) {
    it(`takes ${path} for a path of the application`, () =>
      withApplication(start, {}, async ({ url }, auth) => {
        const { status } = await ask(url, { path })
        assert.equal(auth.seen.length, 0)
        assert.ok(status < 500, `answered ${status}`)
      }))
  }

  it('does not stumble over a query that is not well formed', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      for (const query of ['?sid=%', '?sid=%zz&iss=#x', '?sid=a"<b>|\\~&&&=', '?', '??']) {
        const answer = await ask(url, { path: `/auth/frontchannel-logout${query}` })
        assert.equal(answer.status, 200, query)
      }
      assert.equal(auth.seen.length, 5)
    }))

  it('answers HEAD with the headers alone', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      const answer = await ask(url, { method: 'HEAD', path: '/auth/sign-out' })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['cache-control'], 'no-store')
      assert.equal(answer.text, '')
      assert.equal(auth.seen[0]?.method, 'HEAD')
    }))

  it('passes methods on that a route may refuse', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      for (const method of ['OPTIONS', 'PUT', 'DELETE']) {
        await ask(url, { method, path: '/auth/backchannel-logout', headers: { ...form } })
      }
      assert.deepEqual(
        auth.seen.map((request) => request.method),
        ['OPTIONS', 'PUT', 'DELETE'],
      )
    }))

  it('refuses TRACE, of which no Request can be built, as no fault of the application', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      assert.equal((await ask(url, { method: 'TRACE', path: '/auth/callback' })).status, 501)
      assert.equal(auth.seen.length, 0)
    }))

  it('gives an error of the core to the error handling of the framework', () =>
    withApplication(start, {}, async ({ url }) => {
      const answer = await ask(url, { path: '/auth/broken' })
      assert.equal(answer.status, 500)
      assert.equal(answer.text, 'framework: broken on purpose')
    }))

  it('lets a provider frame front-channel logout, and nobody frame the rest [FCL-4]', () =>
    withApplication(start, { securityHeaders: true }, async ({ url }) => {
      const framed = (await ask(url, { path: '/auth/frontchannel-logout' })).headers
      assert.equal(framed['x-frame-options'], undefined)
      assert.equal(framed['cross-origin-opener-policy'], undefined)
      assert.equal(framed['cross-origin-resource-policy'], undefined)
      assert.equal(
        framed['content-security-policy'],
        "default-src 'none'; frame-ancestors https://op.example",
      )
      const page = (await ask(url, { path: '/auth/sign-out' })).headers
      assert.equal(page['content-security-policy'], "default-src 'none'; frame-ancestors 'none'")
      const own = (await ask(url, { path: '/hello' })).headers
      assert.equal(own['x-frame-options'], 'SAMEORIGIN')
    }))

  it('leaves a streaming route of the application alone', async () => {
    const read = latch()
    const stream = async function* (): AsyncIterable<string> {
      yield 'first,'
      await read.opened // The rest exists only once the first piece has arrived.
      yield 'second'
    }
    await withApplication(start, { stream }, async ({ url }) => {
      const outgoing = begin(url, { path: '/stream' })
      outgoing.end()
      const text = await new Promise<string>((resolve, reject) => {
        outgoing.on('error', reject)
        outgoing.on('response', (incoming) => {
          let received = ''
          incoming.on('data', (chunk) => {
            received += chunk
            read.open()
          })
          incoming.on('end', () => resolve(received))
          incoming.on('error', reject)
        })
      })
      assert.equal(text, 'first,second')
    })
  })

  it('survives a client that leaves before the answer', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      const outgoing = begin(url, { path: '/auth/slow' })
      outgoing.end()
      await auth.slow
      await leave(outgoing)
      assert.equal((await ask(url, { path: '/hello' })).text, 'hello')
      auth.answerSlow()
      assert.equal((await ask(url, { path: '/auth/callback?code=1' })).status, 303)
    }))
}
