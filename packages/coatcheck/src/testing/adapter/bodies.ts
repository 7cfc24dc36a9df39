import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { type AdapterSetup, type StartApplication, withApplication } from './application.ts'
import { answerOf, ask, begin, form, leave } from './ask.ts'

type RegisterTest = (title: string, run: () => Promise<void>) => unknown

const path = '/auth/backchannel-logout'
const limit = 64 * 1024
const megabyte = 1024 * 1024

/** Bodies: parsed before or not, repeated, foreign, too large, broken off. */
export function testBodies(it: RegisterTest, start: StartApplication): void {
  const parsers: [AdapterSetup['bodyParser'], string][] = [
    ['none', 'that nothing has read'],
    ['form', 'that a form parser has read'],
    ['text', 'that was read as text'],
  ]
  for (const [bodyParser, how] of parsers) {
    it(`hands over a form ${how}`, () =>
      withApplication(start, { bodyParser }, async ({ url }, auth) => {
        const sent = new URLSearchParams({ logout_token: 'a+b/c==.d_e-f', empty: '', ü: '€ &=%' })
        const headers = { 'content-type': 'Application/X-WWW-Form-Urlencoded; charset=UTF-8' }
        const answer = await ask(url, { method: 'POST', path, headers, body: sent.toString() })
        assert.equal(answer.status, 200)
        assert.deepEqual([...new URLSearchParams(auth.seen[0]?.body)], [...sent])
        assert.equal(auth.seen[0]?.contentType, headers['content-type'])
      }))

    it(`shows that a parameter was repeated in a form ${how}`, () =>
      withApplication(start, { bodyParser }, async ({ url }, auth) => {
        await ask(url, { method: 'POST', path, headers: form, body: 'sid=a&x=1&sid=b&sid=a' })
        const seen = new URLSearchParams(auth.seen[0]?.body)
        assert.deepEqual(seen.getAll('sid'), ['a', 'b', 'a'])
      }))

    it(`ends a sign-in by a callback ${how}`, () =>
      withApplication(start, { bodyParser }, async ({ url }) => {
        const body = 'code=abc&state=xyz'
        const headers = { ...form, origin: 'https://op.example' }
        const answer = await ask(url, { method: 'POST', path: '/auth/callback', headers, body })
        assert.equal(answer.headers.location, '/home?code=abc')
        assert.equal(answer.headers['set-cookie']?.length, 2)
      }))
  }

  it('hands over a body of another media type as that, for the core to refuse', () =>
    withApplication(start, { bodyParser: 'form' }, async ({ url }, auth) => {
      const headers = { 'content-type': 'application/json' }
      await ask(url, { method: 'POST', path, headers, body: '{"logout_token":"x"}' })
      assert.equal(auth.seen[0]?.contentType, 'application/json')
    }))

  it('hands over a POST without a body', () =>
    withApplication(start, { bodyParser: 'form' }, async ({ url }, auth) => {
      await ask(url, { method: 'POST', path: '/auth/sign-out' })
      assert.equal(auth.seen[0]?.body, '')
    }))

  it('says what to change where a body was read and not kept', () =>
    withApplication(start, { bodyParser: 'lost' }, async ({ url }, auth) => {
      const answer = await ask(url, { method: 'POST', path, headers: form, body: 'a=1' })
      assert.equal(answer.status, 500)
      assert.match(answer.text, /^framework: The request body was read before .* mount /)
      assert.equal(auth.seen.length, 0)
    }))

  it('leaves the posts of the application unread, whatever their size', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      const body = 'mine'.repeat(megabyte / 4)
      const headers = { 'content-type': 'text/plain' }
      const answer = await ask(url, { method: 'POST', path: '/echo', headers, body })
      assert.equal(answer.text, body)
      assert.equal(auth.seen.length, 0)
    }))

  it('hands over a form of 64 KiB [BCL-17]', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      const body = 'a'.repeat(limit)
      assert.equal((await ask(url, { method: 'POST', path, headers: form, body })).status, 200)
      assert.equal(auth.seen[0]?.body.length, limit)
    }))

  it('refuses a body declared too large before any of it is sent [BCL-17]', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      const headers = { ...form, 'content-length': String(megabyte) }
      const outgoing = begin(url, { method: 'POST', path, headers })
      outgoing.flushHeaders()
      refused(await answerOf(outgoing))
      outgoing.destroy()
      assert.equal(auth.seen.length, 0)
    }))

  it('refuses a body of unknown length as soon as it is too large [BCL-17]', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      const outgoing = begin(url, { method: 'POST', path, headers: form })
      outgoing.write('a'.repeat(limit + 1)) // And no end: what comes after is not waited for.
      refused(await answerOf(outgoing))
      outgoing.destroy()
      assert.equal(auth.seen.length, 0)
    }))

  it('serves the next request of the connection on which it refused 1 MiB [BCL-17]', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      try {
        const body = new Uint8Array(megabyte).fill(97)
        const large = { ...form, 'content-length': String(megabyte) }
        refused(await ask(url, { method: 'POST', path, headers: large, body, agent }))
        const next = await ask(url, { path: '/hello', agent })
        assert.deepEqual([next.status, next.sameConnection], [200, true])
        assert.equal(auth.seen.length, 0)
      } finally {
        agent.destroy()
      }
    }))

  it('refuses a parsed form that is too large [BCL-17]', () =>
    withApplication(start, { bodyParser: 'text' }, async ({ url }, auth) => {
      const body = 'a'.repeat(limit + 1)
      refused(await ask(url, { method: 'POST', path, headers: form, body }))
      assert.equal(auth.seen.length, 0)
    }))

  it('survives a client that leaves in the middle of its body', () =>
    withApplication(start, {}, async ({ url }, auth) => {
      const headers = { ...form, 'content-length': '100' }
      const outgoing = begin(url, { method: 'POST', path, headers })
      await new Promise((resolve) => outgoing.write('logout_token=', resolve))
      assert.equal((await ask(url, { path: '/hello' })).text, 'hello')
      await leave(outgoing)
      assert.equal((await ask(url, { path: '/hello' })).text, 'hello')
      assert.equal((await ask(url, { path: '/auth/sign-out' })).status, 200)
      assert.deepEqual(
        auth.seen.map((request) => request.method),
        ['GET'],
      )
    }))
}

function refused(answer: Awaited<ReturnType<typeof ask>>): void {
  assert.equal(answer.status, 413)
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.equal(JSON.parse(answer.text).code, 'request_too_large')
}
