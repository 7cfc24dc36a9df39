import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import express from 'express'
import { Hono } from 'hono'
import type { Auth } from '#coatcheck'
import { expressAuth, requireSession as expressSession } from '#coatcheck/adapters/express'
import { honoAuth, requireSession as honoSession } from '#coatcheck/adapters/hono'
import { nodeAuth, requireSession as nodeSession } from '#coatcheck/adapters/node'
import { ask } from '#coatcheck/testing/adapter/ask'
import { listen } from '../adapters/listen.ts'
import { startBlind } from '../support/blind.ts'
import type { Fault } from '../support/faulty-store.ts'
import { eventually } from '../support/requests.ts'

interface Answer {
  readonly status: number
  readonly cookies: unknown
  readonly location: unknown
  readonly retryAfter: unknown
  readonly text: string
}

type Headers = Readonly<Record<string, string>>

/** How a path is asked for: a guarded page is at `/page`, and coatcheck has its own. */
type Asks = (path: string, headers: Headers) => Promise<Answer>

/** A guarded page and coatcheck's routes, on each of them. */
const FRAMEWORKS: Readonly<Record<string, (t: TestContext, auth: Auth) => Promise<Asks>>> = {
  async Express(t, auth) {
    const app = express()
    app.use(expressAuth(auth))
    app.get('/page', expressSession(auth), (_request, response) => {
      response.send(response.locals.session.subject)
    })
    return served(t, app)
  },

  async 'node:http'(t, auth) {
    const routes = nodeAuth(auth)
    const session = nodeSession(auth)
    return served(t, async (incoming, outgoing) => {
      if (await routes(incoming, outgoing)) return
      const found = await session(incoming, outgoing)
      if (found !== undefined) outgoing.end(found.subject)
    })
  },

  async Hono(_t, auth) {
    const app = new Hono<{ Variables: { session: { subject: string } } }>()
    app.use(honoAuth(auth))
    app.get('/page', honoSession(auth) as never, (context) =>
      context.text(context.get('session').subject),
    )
    return async (path, given) => {
      const response = await app.request(path, { headers: given })
      const { status, headers } = response
      return {
        status,
        cookies: headers.getSetCookie()[0],
        location: headers.get('location') ?? undefined,
        retryAfter: headers.get('retry-after') ?? undefined,
        text: await response.text(),
      }
    }
  },
}

/** Who asks: a person who waits for a page, or a program. */
const PERSON = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }
const PROGRAM = { accept: 'application/json' }
const AWAY: readonly (readonly [Fault, string])[] = [
  ['refused', 'store_unavailable'],
  ['unanswered', 'store_unavailable'],
  [{ after: 3_000 }, 'store_unavailable'],
  ['unusable', 'store_unusable'],
]

for (const [framework, serve] of Object.entries(FRAMEWORKS)) {
  it(`answers 503 on ${framework} while nobody knows who is signed in, and asks nobody to sign in [INV-4]`, async (t) => {
    for (const [fault, code] of AWAY) {
      const app = await startBlind(t)
      const asks = await serve(t, app.auth)
      const { headers } = app.as(await app.signedIn())
      const program = { ...PROGRAM, ...headers }
      assert.equal((await asks('/page', program)).status, 200)
      app.store.fault = () => fault
      for (const time of ['the first', 'the next']) {
        const asked = asks('/page', program)
        if (time === 'the first') {
          await eventually(() => app.store.calls.length > 0, 'asked')
          await app.pass(2_000)
        }
        assertBlind(await asked, code, `${JSON.stringify(fault)}, ${time}`)
      }
      app.store.fault = undefined
      await app.pass(3_000)
      assert.equal((await asks('/page', program)).status, 200)
    }
  })

  it(`says on a guarded page of ${framework} what it says on its own, to a person and to a program`, async (t) => {
    const app = await startBlind(t)
    const { headers } = app.as(await app.signedIn())
    const stranger = app.another({ keys: ['quite another key that nobody told it'] })
    const cases = [
      [app.auth, 'unusable', 'store_unusable', 'Please try again in a moment.'],
      [app.auth, 'refused', 'store_unavailable', 'You have not been signed out.'],
      [stranger, undefined, 'keys_unknown', 'The operator of this application has to act.'],
    ] as const
    for (const [auth, fault, code, advice] of cases) {
      const asks = await serve(t, auth)
      app.store.fault = () => fault
      const told = await asks('/page', { ...PROGRAM, ...headers })
      assertBlind(told, code)
      assert.deepEqual(told, await asks('/auth/session', { ...PROGRAM, ...headers }))

      const shown = await asks('/page', { ...PERSON, ...headers })
      assertBlind(shown, undefined)
      assert.match(shown.text, /^<!doctype html>/)
      assert.ok(shown.text.includes(advice), shown.text)
      assert.equal(shown.text.includes('<a '), false, 'nothing to follow would help')
      const own = await asks('/auth/sign-in', { ...PERSON, ...headers })
      assert.equal(own.text.replace('<p><a href="/auth/sign-in">Sign in</a></p>', ''), shown.text)
      assert.equal(own.retryAfter, shown.retryAfter)
    }
  })
}

function assertBlind({ text, ...answer }: Answer, code: string | undefined, which?: string): void {
  const expected = { status: 503, cookies: undefined, location: undefined, retryAfter: '5' }
  assert.deepEqual(answer, expected, which)
  assert.equal(text.startsWith('{') ? JSON.parse(text).code : undefined, code, which)
}

async function served(t: TestContext, listener: Parameters<typeof listen>[0]): Promise<Asks> {
  const { url, close } = await listen(listener)
  t.after(close)
  return async (path, given) => {
    const { status, headers, text } = await ask(url, { path, headers: given })
    return {
      status,
      cookies: headers['set-cookie'],
      location: headers.location,
      retryAfter: headers['retry-after'],
      text,
    }
  }
}
