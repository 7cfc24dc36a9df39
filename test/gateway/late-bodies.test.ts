import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ask } from './guard-ask.ts'
import { statusesOf } from './refused.ts'
import { type Deployment, deploy, upstream } from './under-test.ts'

const REFUSED = {
  'an application for who is signed in': { path: '/wiki', status: 401 },
  'an API': { path: '/api', status: 401 },
  'an address with two meanings': { path: '/Wiki', status: 400 },
  'the keys of the gateway': { path: '/.well-known/jwks.json', status: 200 },
}

for (const [what, { path, status }] of Object.entries(REFUSED)) {
  test(`Who is answered by ${what} and goes on with the body byte by byte is hung up on`, async (t) => {
    const { origin } = await start(t)
    assert.deepEqual(statusesOf(await trickle(t, origin, path)), [status])
  })
}

test('Who sends the gateway itself a body byte by byte gets 408 and is hung up on', async (t) => {
  const { origin } = await start(t)
  for (const path of ['/auth/backchannel-logout', '/auth/callback']) {
    assert.deepEqual(statusesOf(await trickle(t, origin, path)), [408], path)
  }
})

test('An upload to an application may take longer than that', async (t) => {
  const { origin, signedIn } = await start(t)
  const { cookies } = await signedIn()
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  const upload = request(`${origin}/wiki`, { method: 'POST', headers: { cookie } })
  const answered = new Promise((resolve, reject) => {
    upload.once('error', reject).once('response', (response) => resolve(response.toArray()))
  })
  upload.write('some')
  // Whoever began behind it has been hung up on: so long did it take.
  assert.deepEqual(statusesOf(await trickle(t, origin, '/wiki')), [401])
  upload.end('more')
  assert.equal(String(await answered), 'somemore')
})

test('A connection whose refused request came to its end is kept', async (t) => {
  const { origin } = await start(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const refused = await ask(`${origin}/wiki`, { method: 'POST', agent }, ['a body', 'in parts'])
  const [socket] = Object.values(agent.freeSockets).flat()
  assert.deepEqual([refused.status, socket?.destroyed], [401, false])
  assert.deepEqual(statusesOf(await trickle(t, origin, '/wiki')), [401])
  assert.equal(socket?.destroyed, false)
})

function start(t: TestContext): Promise<Deployment> {
  return upstream(t, async (incoming, response) => {
    let text = ''
    for await (const part of incoming) text += part
    response.end(text)
  }).then(({ url }) =>
    deploy(t, {
      applications: [
        { name: 'api', path: '/api', upstream: url, access: 'api' },
        { name: 'wiki', path: '/wiki', upstream: url },
        { name: 'site', upstream: url, access: 'public' },
      ],
      limits: { headersSeconds: 0.3 },
    }),
  )
}

/** Sends a body that never ends, and answers what came back until the gateway hung up. */
function trickle(t: TestContext, origin: string, path: string): Promise<string> {
  const { hostname, port } = new URL(origin)
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Length: 5000',
  ]
  return new Promise((resolve) => {
    let text = ''
    const socket: Socket = connect(Number(port), hostname)
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    const timer = setInterval(() => socket.write('a'), 50)
    t.after(() => clearInterval(timer))
    socket.on('data', (part) => {
      text += part
    })
    // Its own bytes were still on their way.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      clearInterval(timer)
      resolve(text)
    })
  })
}
