import assert from 'node:assert/strict'
import { Agent, type IncomingMessage, type ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import {
  askToSignIn,
  type NodeRequest,
  nodeAuth,
  requireSession,
  sendResponse,
  toRequest,
} from '#coatcheck/adapters/node'
import { AuthError } from '#coatcheck/errors'
import type { AdapterSetup, RunningApplication } from '#coatcheck/testing/adapter'
import { testAdapter } from '#coatcheck/testing/adapter'
import { answerOf, ask, begin, form } from '#coatcheck/testing/adapter/ask'
import { latch } from '#coatcheck/testing/adapter/latch'
import { standIn } from '#coatcheck/testing/adapter/stand-in'
import { listen } from './listen.ts'

describe('node:http', () => {
  testAdapter(it, start)

  for (const path of ['/auth/./callback', '/auth/x/../callback', '/auth\\callback']) {
    it(`takes ${path} for a path of the application`, async () => {
      const auth = standIn()
      const { url, close } = await start({ ...plain, auth })
      try {
        assert.equal((await ask(url, { path })).status, 404)
        assert.equal(auth.seen.length, 0)
      } finally {
        await close()
      }
    })
  }

  for (const status of [204, 304]) {
    it(`sends ${status} without a body`, async () => {
      const { url, close } = await listen((_incoming, outgoing) => {
        sendResponse(new Response(null, { status, headers: { etag: '"1"' } }), outgoing)
      })
      try {
        const answer = await ask(url, { path: '/' })
        assert.deepEqual([answer.status, answer.headers.etag, answer.text], [status, '"1"', ''])
        assert.equal(answer.headers['transfer-encoding'], undefined)
      } finally {
        await close()
      }
    })
  }

  it('serves the next request of the connection on which it refused a body of unknown length', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const { url, close } = await start({ ...plain, auth: standIn() })
    try {
      const path = '/auth/backchannel-logout'
      const outgoing = begin(url, { method: 'POST', path, headers: form, agent })
      const first = answerOf(outgoing)
      outgoing.write(new Uint8Array(65 * 1024))
      outgoing.write(new Uint8Array(1024 * 1024), () => outgoing.end())
      assert.equal((await first).status, 413)
      const next = await ask(url, { path: '/hello', agent })
      assert.deepEqual([next.text, next.sameConnection], ['hello', true])
    } finally {
      agent.destroy()
      await close()
    }
  })

  it('says request_invalid of a body that breaks off', async () => {
    const failed = latch<unknown>()
    const { url, close } = await listen((incoming) => {
      toRequest(incoming, 'https://app.example').catch(failed.open)
      outgoing.destroy()
    })
    const headers = { ...form, 'content-length': '100' }
    const outgoing = begin(url, { method: 'POST', path: '/', headers })
    outgoing.on('error', () => undefined) // Our own "socket hang up".
    outgoing.write('logout_token=')
    try {
      const error = await failed.opened
      assert.ok(error instanceof AuthError)
      assert.equal(error.code, 'request_invalid')
    } finally {
      await close()
    }
  })

  it('adds its cookies to those the application has set', async () => {
    const { url, close } = await listen((_incoming, outgoing) => {
      outgoing.setHeader('set-cookie', 'theirs=1')
      sendResponse(new Response('', { headers: { 'set-cookie': 'ours=1' } }), outgoing)
    })
    try {
      const answer = await ask(url, { path: '/' })
      assert.deepEqual(answer.headers['set-cookie'], ['theirs=1', 'ours=1'])
    } finally {
      await close()
    }
  })
})

const plain = {
  bodyParser: 'none',
  securityHeaders: false,
  stream: async function* (): AsyncIterable<string> {
    yield* []
  },
} as const

function start({
  auth,
  bodyParser,
  securityHeaders,
  stream,
}: AdapterSetup): Promise<RunningApplication> {
  const serve = nodeAuth(auth)
  const session = requireSession(auth)
  const signIn = askToSignIn(auth)

  async function application(incoming: NodeRequest, outgoing: ServerResponse): Promise<unknown> {
    if (securityHeaders) {
      outgoing.setHeader('x-frame-options', 'SAMEORIGIN')
      outgoing.setHeader('cross-origin-opener-policy', 'same-origin')
      outgoing.setHeader('cross-origin-resource-policy', 'same-origin')
      outgoing.setHeader('content-security-policy', "default-src 'self'")
    }
    if (await serve(Object.assign(incoming, await parse(incoming, bodyParser)), outgoing)) return
    const { pathname } = new URL(incoming.url ?? '/', auth.origin)
    if (pathname === '/hello') return outgoing.end('hello')
    if (pathname === '/echo') return incoming.pipe(outgoing)
    if (pathname === '/stream') {
      for await (const piece of stream()) outgoing.write(piece)
      return outgoing.end()
    }
    if (pathname === '/orders') return outgoing.end((await auth.accessToken(incoming)).value)
    if (pathname.startsWith('/account')) {
      const found = await session(incoming, outgoing)
      if (found === undefined) return
      if (pathname === '/account/cached') outgoing.setHeader('cache-control', 'private, max-age=60')
      return outgoing.end(found.subject)
    }
    outgoing.statusCode = 404
    return outgoing.end()
  }

  return listen((incoming, outgoing) => {
    application(incoming, outgoing).catch(async (error) => {
      if (await signIn(error, incoming, outgoing)) return
      outgoing.statusCode = 500
      outgoing.end(`framework: ${error.message}`)
    })
  })
}

/** The body parser of this application: what is left in `body`. */
async function parse(
  incoming: IncomingMessage,
  bodyParser: AdapterSetup['bodyParser'],
): Promise<{ body?: unknown }> {
  if (bodyParser === 'none') return {}
  let body = ''
  for await (const chunk of incoming) body += chunk
  if (bodyParser === 'lost') return {}
  if (bodyParser === 'text') return { body }
  const form: Record<string, string | string[]> = {}
  const fields = new URLSearchParams(body)
  for (const name of fields.keys()) {
    const values = fields.getAll(name)
    form[name] = values.length > 1 ? values : (values[0] ?? '')
  }
  return { body: form }
}
