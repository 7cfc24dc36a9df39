import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import express from 'express'
import { askToSignIn, expressAuth, requireSession } from '#coatcheck/adapters/express'
import { testAdapter } from '#coatcheck/testing/adapter'
import { ask, form } from '#coatcheck/testing/adapter/ask'
import { standIn } from '#coatcheck/testing/adapter/stand-in'
import { startExpress } from './express-application.ts'
import { listen } from './listen.ts'

describe('Express 5', () => {
  testAdapter(it, startExpress(express))

  it('knows its routes by the whole path where it is mounted under a part of it', async () => {
    const auth = standIn()
    const app = express()
    app.use('/auth', expressAuth(auth))
    app.use('/area', expressAuth(auth))
    const { url, close } = await listen(app)
    try {
      assert.equal((await ask(url, { path: '/auth/callback?code=1' })).status, 303)
      assert.equal((await ask(url, { path: '/area/auth/callback?code=1' })).status, 404)
      assert.deepEqual(
        auth.seen.map((request) => request.url),
        ['https://app.example/auth/callback?code=1'],
      )
    } finally {
      await close()
    }
  })

  it('sends a page of a mounted router back to its whole path', async () => {
    const auth = standIn()
    const area = express.Router()
    area.use('/page', requireSession(auth))
    area.get('/token', (request, _response, next) => {
      auth.accessToken(request).then(() => next(), next)
    })
    area.use(askToSignIn(auth))
    const { url, close } = await listen(express().use('/area', area))
    try {
      for (const path of ['/area/page?n=1', '/area/token?n=1']) {
        const answer = await ask(url, { path, headers: { accept: 'text/html' } })
        const back = encodeURIComponent(path)
        assert.equal(answer.headers.location, `/auth/sign-in?return_to=${back}`)
      }
    } finally {
      await close()
    }
  })

  for (const [name, parser] of [
    ['a simple form parser', express.urlencoded({ extended: false })],
    ['a parser of bytes', express.raw({ type: '*/*' })],
    ['a parser of another media type', express.json()],
  ] as const) {
    it(`hands over a form after ${name}`, async () => {
      const auth = standIn()
      const { url, close } = await listen(express().use(parser, expressAuth(auth)))
      try {
        const body = 'logout_token=a%2Bb&sid=1&sid=2'
        await ask(url, { method: 'POST', path: '/auth/sign-out', headers: form, body })
        assert.equal(auth.seen[0]?.body, body)
      } finally {
        await close()
      }
    })
  }

  it('keeps the framing headers of the application on every other answer', async () => {
    const { url, close } = await startExpress(express)({
      auth: standIn(),
      bodyParser: 'none',
      securityHeaders: true,
      stream: async function* () {
        yield* []
      },
    })
    try {
      for (const path of ['/auth/sign-out', '/auth/callback?code=1']) {
        const { headers } = await ask(url, { path })
        assert.equal(headers['x-frame-options'], 'SAMEORIGIN')
        assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
      }
    } finally {
      await close()
    }
  })

  it('drops what a form parser nested, however deep', async () => {
    const auth = standIn()
    const app = express().use(express.urlencoded(), express.json(), expressAuth(auth))
    const { url, close } = await listen(app)
    const post = (type: string, body: string): Promise<unknown> => {
      const headers = { 'content-type': type }
      return ask(url, { method: 'POST', path: '/auth/sign-out', headers, body })
    }
    try {
      const nested = 'a[b]=1&__proto__[x]=1&constructor[prototype][x]=1&state=ok'
      await post('application/x-www-form-urlencoded', nested)
      const deep = `{"state":"ok","deep":${'['.repeat(40_000)}${']'.repeat(40_000)}}`
      await post('application/json', deep)
      assert.deepEqual(
        auth.seen.map((request) => new URLSearchParams(request.body).get('state')),
        ['ok', 'ok'],
      )
      assert.equal('x' in {}, false)
    } finally {
      await close()
    }
  })

  it('lets the error pass that came after the answer had begun', async () => {
    const auth = standIn()
    const app = express()
    const passed: string[] = []
    app.get('/late', (request, response, next) => {
      response.write('begun')
      auth.accessToken(request).catch(next)
    })
    app.use(askToSignIn(auth))
    app.use(((error, _request, response, _next) => {
      passed.push(error.code)
      response.end()
    }) satisfies express.ErrorRequestHandler)
    const { url, close } = await listen(app)
    try {
      assert.equal((await ask(url, { path: '/late' })).text, 'begun')
      assert.deepEqual(passed, ['sign_in_required'])
    } finally {
      await close()
    }
  })
})
