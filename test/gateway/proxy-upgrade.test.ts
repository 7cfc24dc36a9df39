import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { freePorts } from '../servers/ports.ts'
import { deploy, upstream } from './under-test.ts'
import { acceptWebSockets, heard, openWebSocket } from './web-socket.ts'

test('A WebSocket of a signed-in user passes in both directions, and its server knows the user', async (t) => {
  const app = await upstream(t)
  acceptWebSockets(app.server)
  const { origin, signedIn } = await deploy(t, { upstream: app.url })
  const browser = await signedIn()
  const accepted = once(app.server, 'socket')
  const { socket, answer } = await openWebSocket(`${origin}/chat?room=1`, {
    cookie: browser.cookieHeader(origin),
    'x-forwarded-user': 'admin',
  })
  const [server, incoming] = await accepted
  assert.equal(answer.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  assert.equal(incoming.url, '/chat?room=1')
  assert.equal(incoming.headers['x-forwarded-user'], 'U1')
  assert.doesNotMatch(incoming.headers.cookie ?? '', /coatcheck/)
  socket.write('to the server')
  assert.equal(await heard(server), 'to the server')
  server.write('to the browser')
  assert.equal(await heard(socket), 'to the browser')
  socket.destroy()
  await once(server, 'end')
})

test('A WebSocket whose server hangs up ends at the browser too', async (t) => {
  const app = await upstream(t)
  acceptWebSockets(app.server)
  app.server.on('socket', (socket: Socket) => socket.end('bye'))
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const { socket } = await openWebSocket(origin)
  assert.equal(await heard(socket), 'bye')
  await once(socket, 'close')
})

test('A WebSocket without a session is refused before the application hears of it', async (t) => {
  const app = await upstream(t)
  acceptWebSockets(app.server)
  const { origin } = await deploy(t, { upstream: app.url })
  await assert.rejects(openWebSocket(origin), { status: 401 })
  await assert.rejects(openWebSocket(`${origin}/auth/session`))
  assert.equal(app.requests.length, 0)
})

test('An application that wants no WebSocket says so itself', async (t) => {
  const app = await upstream(t, (_, response) => response.writeHead(404).end('no'))
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  await assert.rejects(openWebSocket(origin), { status: 404 })
})

test('Its answer is completed and kept by nobody as any other of a user who is signed in', async (t) => {
  const app = await upstream(t, (_, response) => {
    response.setHeader('set-cookie', ['own=1', '__Host-coatcheck=forged', 'other=2'])
    response.setHeader('access-control-allow-origin', 'https://evil.example')
    response.setHeader('keep-alive', 'timeout=5')
    response.writeHead(404).end('no')
  })
  const { origin, signedIn } = await deploy(t, {
    applications: [{ name: 'a', upstream: app.url, access: 'api' }],
  })
  const { statusCode, headers, text } = await refusedSocket(
    origin,
    (await signedIn()).cookieHeader(origin),
  )
  assert.deepEqual([statusCode, text], [404, 'no'])
  assert.equal(headers['cache-control'], 'no-store')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['cross-origin-resource-policy'], 'same-origin')
  assert.equal(headers['access-control-allow-origin'], undefined)
  assert.deepEqual(headers['set-cookie'], ['own=1', 'other=2'])
  assert.equal(headers.connection, 'close')
  assert.equal(headers['keep-alive'], undefined)
})

test('A WebSocket to an application that is down is answered 502', async (t) => {
  const [port] = await freePorts(1)
  const { origin } = await deploy(t, {
    applications: [{ upstream: `http://127.0.0.1:${port}`, access: 'public' }],
  })
  await assert.rejects(openWebSocket(origin), { status: 502 })
})

test('A wish for HTTP/2, as the client of Java has it, is served as HTTP/1.1', async (t) => {
  const app = await upstream(t)
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const outgoing = request(`${origin}/page`, {
    headers: {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABk',
    },
    agent: false,
  })
  outgoing.end()
  const [answer] = await once(outgoing, 'response')
  let text = ''
  for await (const chunk of answer) text += chunk
  assert.equal(answer.statusCode, 200)
  const { url, headers } = JSON.parse(text)
  assert.equal(url, '/page')
  assert.equal(headers.upgrade, undefined)
  assert.equal(headers['http2-settings'], undefined)
})

test('A wish for another protocol with a body is refused: what follows would be another request', async (t) => {
  const app = await upstream(t)
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  const body = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
  socket.write(
    `POST / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  let text = ''
  for await (const chunk of socket) text += chunk
  assert.match(text, /^HTTP\/1\.1 400 /)
  assert.equal(text.split('HTTP/1.1').length, 2)
  assert.equal(app.requests.length, 0)
})

/** What an application answers that opens no WebSocket for this user. */
async function refusedSocket(
  url: string,
  cookie: string,
): Promise<Pick<IncomingMessage, 'statusCode' | 'headers'> & { text: string }> {
  const headers = { connection: 'Upgrade', upgrade: 'websocket', cookie }
  const outgoing = request(url, { headers, agent: false })
  outgoing.end()
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  const text = String(Buffer.concat(await answer.toArray()))
  return { statusCode: answer.statusCode, headers: answer.headers, text }
}
