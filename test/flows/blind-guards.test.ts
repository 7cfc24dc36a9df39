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
  readonly code: unknown
}

/** How a guarded page is asked for with this cookie. */
type AskPage = (cookie: string) => Promise<Answer>

/** A guarded page and coatcheck's routes, on each of them. */
const FRAMEWORKS: Readonly<Record<string, (t: TestContext, auth: Auth) => Promise<AskPage>>> = {
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
    return async (cookie) => {
      const response = await app.request('/page', { headers: { ...PAGE, cookie } })
      const { status, headers } = response
      return {
        status,
        cookies: headers.getSetCookie()[0],
        location: headers.get('location') ?? undefined,
        code: codeIn(await response.text()),
      }
    }
  },
}

const PAGE = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }
const AWAY: readonly (readonly [Fault, string])[] = [
  ['refused', 'store_unavailable'],
  ['unanswered', 'store_unavailable'],
  [{ after: 3_000 }, 'store_unavailable'],
  ['unusable', 'store_unusable'],
]

for (const [framework, startPage] of Object.entries(FRAMEWORKS)) {
  it(`answers 503 on ${framework} while nobody knows who is signed in, and asks nobody to sign in [INV-4]`, async (t) => {
    for (const [fault, code] of AWAY) {
      const app = await startBlind(t)
      const page = await startPage(t, app.auth)
      const { cookie } = app.as(await app.signedIn()).headers
      assert.equal((await page(cookie)).status, 200)
      app.store.fault = () => fault
      for (const time of ['the first', 'the next']) {
        const asked = page(cookie)
        if (time === 'the first') {
          await eventually(() => app.store.calls.length > 0, 'asked')
          await app.pass(2_000)
        }
        const answer = await asked
        const expected = { status: 503, cookies: undefined, location: undefined, code }
        assert.deepEqual(answer, expected, `${JSON.stringify(fault)}, ${time}`)
      }
      app.store.fault = undefined
      await app.pass(3_000)
      assert.equal((await page(cookie)).status, 200)
    }
  })
}

async function served(t: TestContext, listener: Parameters<typeof listen>[0]): Promise<AskPage> {
  const { url, close } = await listen(listener)
  t.after(close)
  return async (cookie) => {
    const { status, headers, text } = await ask(url, {
      path: '/page',
      headers: { ...PAGE, cookie },
    })
    return {
      status,
      cookies: headers['set-cookie'],
      location: headers.location,
      code: codeIn(text),
    }
  }
}

function codeIn(text: string): unknown {
  return text.startsWith('{') ? (JSON.parse(text) as { code: unknown }).code : undefined
}
