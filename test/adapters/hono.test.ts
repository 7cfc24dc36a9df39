import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import { describe, it } from 'node:test'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { stream as honoStream } from 'hono/streaming'
import { askToSignIn, honoAuth, requireSession } from '#coatcheck/adapters/hono'
import type { AdapterSetup, RunningApplication } from '#coatcheck/testing/adapter'
import { testAdapter } from '#coatcheck/testing/adapter'
import { ask, form } from '#coatcheck/testing/adapter/ask'
import { standIn } from '#coatcheck/testing/adapter/stand-in'
import { running } from './listen.ts'

describe('Hono', () => {
  testAdapter(it, start)

  it('marks an answer that the handler built by itself as not to be stored [COO-18]', async () => {
    const auth = standIn()
    const app = new Hono()
    app.get('/raw', requireSession(auth), () => new Response('raw'))
    app.get('/sealed', requireSession(auth), () => Response.json({}, { headers: { etag: '"1"' } }))
    for (const path of ['/raw', '/sealed']) {
      const answer = await app.request(path, { headers: { cookie: 'session=alice' } })
      assert.deepEqual([answer.status, answer.headers.get('cache-control')], [200, 'no-store'])
    }
  })

  it('hands over a form that a body limit has read', async () => {
    const auth = standIn()
    const app = new Hono().use(bodyLimit({ maxSize: 1000 }), honoAuth(auth))
    const { url, close } = await listen(app)
    try {
      const headers = { ...form, 'transfer-encoding': 'chunked' }
      await ask(url, { method: 'POST', path: '/auth/sign-out', headers, body: 'a=1' })
      assert.equal(auth.seen[0]?.body, 'a=1')
    } finally {
      await close()
    }
  })

  it('hands over a form that was read as form data', async () => {
    const auth = standIn()
    const app = new Hono()
    app.use(async ({ req }, next) => {
      await req.formData()
      await next()
    }, honoAuth(auth))
    const body = new URLSearchParams([
      ['sid', 'a+b'],
      ['sid', 'c'],
    ])
    await app.request('/auth/sign-out', { method: 'POST', body })
    assert.equal(auth.seen[0]?.body, body.toString())
  })

  it('refuses a body that breaks off as no fault of the application', async () => {
    const auth = standIn()
    const app = new Hono().use(honoAuth(auth))
    const body = new ReadableStream({ pull: (stream) => stream.error(new Error('gone')) })
    const init = { method: 'POST', headers: form, body, duplex: 'half' } as const
    const answer = await app.request('/auth/sign-out', init)
    assert.equal(answer.status, 400)
    assert.equal(auth.seen.length, 0)
  })

  it('needs no server: a request may be handed to the application', async () => {
    const auth = standIn()
    const app = new Hono().use(honoAuth(auth))
    const body = new URLSearchParams({ logout_token: 'x' })
    await app.request('/auth/backchannel-logout', { method: 'POST', body })
    await app.request('/auth/backchannel-logout', { method: 'POST' })
    assert.deepEqual(
      auth.seen.map((request) => [request.url, request.body]),
      [
        ['https://app.example/auth/backchannel-logout', 'logout_token=x'],
        ['https://app.example/auth/backchannel-logout', ''],
      ],
    )
  })
})

function start({
  auth,
  bodyParser,
  securityHeaders,
  stream,
}: AdapterSetup): Promise<RunningApplication> {
  const app = new Hono()
  if (bodyParser !== 'none') {
    app.use(async ({ req }, next) => {
      if (bodyParser === 'form') await req.parseBody()
      else if (bodyParser === 'text') await req.text()
      else await req.raw.text()
      await next()
    })
  }
  app.use(honoAuth(auth))
  if (securityHeaders) app.use(secureHeaders())

  app.get('/hello', (c) => c.text('hello'))
  app.post('/echo', async (c) => c.text(await c.req.text()))
  app.get('/stream', (c) =>
    honoStream(c, async (out) => {
      for await (const piece of stream()) await out.write(piece)
    }),
  )
  app.get('/account/cached', requireSession(auth), (c) => {
    c.header('cache-control', 'private, max-age=60')
    return c.text(c.get('session').subject)
  })
  app.all('/account', requireSession(auth), (c) => c.text(c.get('session').subject))
  app.get('/orders', async (c) => c.text((await auth.accessToken(c.req.raw)).value))
  app.onError(askToSignIn(auth, (error, c) => c.text(`framework: ${error.message}`, 500)))
  return listen(app)
}

function listen(app: Hono): Promise<RunningApplication> {
  return new Promise((resolve) => {
    const options = { fetch: app.fetch, port: 0, hostname: '127.0.0.1' }
    const server = serve(options, () => resolve(running(server as Server)))
  })
}
