import assert from 'node:assert/strict'
import { type StartApplication, withApplication } from './application.ts'
import { type Answer, ask } from './ask.ts'

type RegisterTest = (title: string, run: () => Promise<void>) => unknown

const signedIn = { cookie: 'session=alice' }
const page = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const navigation = { ...page, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

/** The guard: who passes, who is sent to sign-in, who is told. */
export function testGuards(it: RegisterTest, start: StartApplication): void {
  it('lets a signed-in user through and hands the session to the handler', () =>
    withApplication(start, {}, async ({ url }) => {
      const answer = await ask(url, { path: '/account', headers: signedIn })
      assert.deepEqual([answer.status, answer.text], [200, 'alice'])
    }))

  it('keeps what a signed-in user sees out of every cache [COO-18]', () =>
    withApplication(start, {}, async ({ url }) => {
      const answer = await ask(url, { path: '/account', headers: signedIn })
      assert.equal(answer.headers['cache-control'], 'no-store')
      const own = await ask(url, { path: '/account/cached', headers: signedIn })
      assert.equal(own.headers['cache-control'], 'private, max-age=60')
    }))

  for (const headers of [page, navigation]) {
    for (const method of ['GET', 'HEAD']) {
      it(`sends a page to sign-in and back: ${method}, ${Object.keys(headers).join(', ')}`, () =>
        withApplication(start, {}, async ({ url }) => {
          const path = '/account?tab=a%20b&x=/y'
          const answer = await ask(url, { method, path, headers })
          assert.equal(answer.status, 303)
          assert.equal(
            answer.headers.location,
            `/auth/sign-in?return_to=${encodeURIComponent(path)}`,
          )
          assert.equal(answer.headers['cache-control'], 'no-store')
        }))
    }
  }

  it('never offers another host as the way back', () =>
    withApplication(start, {}, async ({ url }) => {
      const target = 'http://evil.example/account?x=1'
      const answer = await ask(url, { path: target, headers: { ...page, host: 'evil.example' } })
      assert.equal(answer.headers.location, '/auth/sign-in?return_to=%2Faccount%3Fx%3D1')
    }))

  const calls: [string, string, Record<string, string>][] = [
    ['asks for JSON', 'GET', { accept: 'application/json' }],
    ['says nothing about itself', 'GET', {}],
    ['comes from a script that accepts HTML', 'GET', { ...page, 'sec-fetch-mode': 'cors' }],
    ['comes from XMLHttpRequest', 'GET', { ...page, 'x-requested-with': 'XMLHttpRequest' }],
    ['posts', 'POST', navigation],
  ]
  for (const [what, method, headers] of calls) {
    it(`tells a request that ${what} to sign in`, () =>
      withApplication(start, {}, async ({ url }) => {
        const answer = await ask(url, { method, path: '/account', headers })
        toldToSignIn(answer)
      }))
  }

  it('asks for a sign-in again after the sign-out', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      const headers = { ...page, ...signedIn }
      assert.equal((await ask(url, { path: '/account', headers })).status, 200)
      await auth.signOut({ session: 'handle' })
      assert.equal((await ask(url, { path: '/account', headers })).status, 303)
    }))

  const told = 'application/problem+json'
  for (const [who, headers, type] of [
    ['a person', page, 'text/html; charset=utf-8'],
    ['a program', {}, told],
  ] as const) {
    it(`says 503 to ${who} and touches no cookie while the store is out of reach`, () =>
      withApplication(start, {}, async ({ url }) => {
        const cookie = 'session=store-down'
        const answer = await ask(url, { path: '/account', headers: { ...headers, cookie } })
        assert.equal(answer.status, 503)
        assert.equal(answer.headers['content-type'], type)
        assert.equal(answer.headers['cache-control'], 'no-store')
        assert.equal(answer.headers['retry-after'], '5')
        assert.equal(answer.headers['set-cookie'], undefined)
        if (type === told) assert.equal(JSON.parse(answer.text).code, 'store_unavailable')
      }))
  }

  it('answers a handler that finds nobody signed in as the guard would', () =>
    withApplication(start, {}, async ({ url }) => {
      assert.equal((await ask(url, { path: '/orders', headers: signedIn })).text, 'at')
      const sent = await ask(url, { path: '/orders?page=2', headers: page })
      assert.equal(sent.status, 303)
      assert.equal(sent.headers.location, '/auth/sign-in?return_to=%2Forders%3Fpage%3D2')
      toldToSignIn(await ask(url, { path: '/orders' }))
    }))

  it('leaves every other error of a handler to the framework', () =>
    withApplication(start, {}, async ({ url }) => {
      const headers = { cookie: 'session=store-down' }
      const answer = await ask(url, { path: '/orders', headers })
      assert.deepEqual([answer.status, answer.text], [500, 'framework: The store is out of reach.'])
    }))
}

function toldToSignIn(answer: Answer): void {
  assert.equal(answer.status, 401)
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  assert.equal(answer.headers['cache-control'], 'no-store')
  const { type, title, status, signIn } = JSON.parse(answer.text)
  assert.deepEqual([typeof type, typeof title, status], ['string', 'string', 401])
  // An API's own path is no page to come back to.
  assert.equal(signIn, '/auth/sign-in')
}
