import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { TokenStore } from '#coatcheck'
import { memoryStore } from '#coatcheck/stores/memory'
import type { StartOptions } from '#gateway/server/start'
import { createOpenStreams } from '#gateway/streams/open-streams'
import {
  type Deployment,
  type DeploymentOptions,
  deploy,
  type Upstream,
  upstream,
} from './under-test.ts'
import { acceptWebSockets, openWebSocket } from './web-socket.ts'

test('A sign-out closes the WebSockets of that session at once, and nobody else’s', async (t) => {
  const { app, deployment } = await start(t)
  const [one, other] = [
    await deployment.signedIn({ sub: 'U1' }),
    await deployment.signedIn({ sub: 'U2' }),
  ]
  const theirs = await open(app, deployment, one.cookieHeader(deployment.origin))
  const others = await open(app, deployment, other.cookieHeader(deployment.origin))
  const closed = once(theirs.client, 'close')
  await deployment.gateway.auth.signOut({ subject: 'U1' })
  await closed
  others.client.write('still here')
  assert.equal(String((await once(others.server, 'data'))[0]), 'still here')
})

test('A WebSocket does not wait for a place that is slow to hear of the sign-out', async (t) => {
  const letGo = Promise.withResolvers<undefined>()
  t.after(() => letGo.resolve(undefined))
  const places = [{ name: 'slow', end: () => letGo.promise }]
  const { app, deployment } = await start(t, {}, { places })
  const browser = await deployment.signedIn()
  const { client } = await open(app, deployment, browser.cookieHeader(deployment.origin))
  let isAnswered = false
  const answered = deployment.gateway.auth.signOut({ subject: 'U1' }).then(() => {
    isAnswered = true
  })
  await once(client, 'close')
  assert.equal(isAnswered, false)
  letGo.resolve(undefined)
  await answered
})

test('What a browser sends on its WebSocket after the sign-out never reaches the application', async (t) => {
  const { app, deployment } = await start(t)
  const browser = await deployment.signedIn()
  const { client, server } = await open(app, deployment, browser.cookieHeader(deployment.origin))
  const arrived: string[] = []
  server.on('data', (chunk: Buffer) => arrived.push(String(chunk)))
  client.write('before')
  await once(server, 'data')
  const ended = once(server, 'end')
  await deployment.gateway.auth.signOut({ subject: 'U1' })
  client.write('after')
  await ended
  assert.deepEqual(arrived, ['before'])
})

test('The sign-out button of one tab ends the event stream of another', async (t) => {
  const { deployment } = await start(t)
  const { origin } = deployment
  const browser = await deployment.signedIn()
  const { ended } = await openStream(deployment, browser.cookieHeader(origin))
  await browser.post(`${origin}/auth/sign-out`)
  await ended
})

test('The provider’s logout token ends a download that is under way', async (t) => {
  const { deployment } = await start(t)
  const browser = await deployment.signedIn()
  const { ended } = await openStream(deployment, browser.cookieHeader(deployment.origin))
  const sid = deployment.provider.sessions[0]?.sid ?? ''
  await deployment.provider.endSession(sid)
  await ended
})

test('A request that waits for its first byte ends with the session, and the answer never arrives', async (t) => {
  let answer: ServerResponse | undefined
  const app = await upstream(t, (_, response) => {
    answer = response
    app.server.emit('waiting')
  })
  const deployment = await deploy(t, { upstream: app.url })
  const browser = await deployment.signedIn()
  const waiting = once(app.server, 'waiting')
  const outgoing = request(deployment.origin, {
    headers: { cookie: browser.cookieHeader(deployment.origin) },
  })
  const failed = once(outgoing, 'error')
  outgoing.end()
  await waiting
  await deployment.gateway.auth.signOut({ subject: 'U1' })
  await failed
  answer?.end('too late')
})

test('A session that ends in another process takes its streams here along within the bound', async (t) => {
  const { app, deployment } = await start(t, { streamCheckSeconds: 0.2 })
  const second = await deployment.another()
  const browser = await deployment.signedIn()
  const cookie = browser.cookieHeader(deployment.origin)
  const { client } = await open(app, deployment, cookie)
  const closed = once(client, 'close')
  await second.auth.signOut({ subject: 'U1' })
  await closed
})

test('A stream stays open as long as its session is confirmed, and asking is no activity of the user', async (t) => {
  const { app, deployment, asked } = await start(t, { streamCheckSeconds: 0.4 })
  const browser = await deployment.signedIn()
  const cookie = browser.cookieHeader(deployment.origin)
  const { client, server } = await open(app, deployment, cookie)
  const [before] = await deployment.gateway.auth.sessions({ subject: 'U1' })
  await asked(5)
  client.write('still here')
  assert.equal(String((await once(server, 'data'))[0]), 'still here')
  const [after] = await deployment.gateway.auth.sessions({ subject: 'U1' })
  assert.equal(after?.expiresAt, before?.expiresAt)
})

test('While the store is away longer than the bound, streams are closed and nobody is signed out', async (t) => {
  const { app, deployment, fail, mend } = await start(t, { streamCheckSeconds: 0.2 })
  const browser = await deployment.signedIn()
  const cookie = browser.cookieHeader(deployment.origin)
  const { client } = await open(app, deployment, cookie)
  const closed = once(client, 'close')
  fail()
  await closed
  assert.match(deployment.lines.join(''), /streams_closed_blind/)
  mend()
  const [session] = await deployment.gateway.auth.sessions({ subject: 'U1' })
  assert.equal(session?.subject, 'U1')
  assert.equal(deployment.events.filter(({ type }) => type === 'signed_out').length, 0)
})

test('A WebSocket that is being opened while its user signs out does not stay open', async (t) => {
  const { app, deployment } = await start(t)
  const browser = await deployment.signedIn()
  const cookie = browser.cookieHeader(deployment.origin)
  app.server.removeAllListeners('upgrade')
  const asked = once(app.server, 'upgrade')
  const opened = openWebSocket(deployment.origin, { cookie })
  const [, server] = (await asked) as [unknown, Socket]
  const refused = assert.rejects(opened)
  const ended = new Promise((resolve) => server.once('close', resolve))
  server.on('error', () => {})
  await deployment.gateway.auth.signOut({ subject: 'U1' })
  const answer =
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
  server.end(answer)
  server.resume()
  await refused
  await ended
})

test('What asked for its session right before that ended is closed when it begins', () => {
  let now = 0
  const streams = createOpenStreams(() => now)
  const owner = { handle: 'h' }
  const closed: string[] = []
  const stream = (name: string) => ({ close: () => closed.push(name), lasts: () => true })
  streams.add(owner, stream('open'))
  assert.equal(streams.size, 1)
  streams.end('h')
  streams.add(owner, stream('late'))
  assert.deepEqual(closed, ['open', 'late'])
  assert.equal(streams.size, 0)
  now += 60_001
  streams.end('another')
  streams.add(owner, stream('much later'))
  assert.equal(closed.length, 2)
})

async function start(
  t: TestContext,
  limits: DeploymentOptions['limits'] = {},
  authOptions: StartOptions['authOptions'] = {},
) {
  const app = await upstream(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: first\n\n')
  })
  acceptWebSockets(app.server)
  const { store, fail, mend, asked } = failingStore()
  const deployment = await deploy(t, { upstream: app.url, limits, parts: { store, authOptions } })
  return { app, deployment, fail, mend, asked }
}

/** A store that can be out of reach, and says how often it was asked for a record. */
function failingStore(): {
  store: TokenStore
  fail(): void
  mend(): void
  asked(times: number): Promise<void>
} {
  const inner = memoryStore()
  let isAway = false
  let reads = 0
  let heard = (): void => {}
  const store = new Proxy(inner, {
    get(target, name: keyof TokenStore) {
      const method = target[name]
      if (typeof method !== 'function') return method
      return (...given: unknown[]) => {
        if (isAway) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' })
        if (name === 'get') {
          reads += 1
          heard()
        }
        return Reflect.apply(method, target, given)
      }
    },
  })
  return {
    store,
    fail: () => {
      isAway = true
    },
    mend: () => {
      isAway = false
    },
    asked(times) {
      const until = reads + times
      return new Promise((resolve) => {
        heard = () => {
          if (reads >= until) resolve()
        }
      })
    },
  }
}

async function open(
  app: Upstream,
  { origin }: Deployment,
  cookie: string,
): Promise<{ client: Socket; server: Socket }> {
  const accepted = once(app.server, 'socket')
  const { socket } = await openWebSocket(origin, { cookie })
  const [server] = await accepted
  socket.resume()
  server.resume()
  return { client: socket, server }
}

/** Resolves with the end of an event stream, once its first event was there. */
async function openStream(
  { origin }: Deployment,
  cookie: string,
): Promise<{ ended: Promise<unknown> }> {
  const outgoing = request(origin, { headers: { cookie } })
  outgoing.end()
  const [answer] = await once(outgoing, 'response')
  answer.on('error', () => {})
  await once(answer, 'data')
  return { ended: new Promise((resolve) => answer.once('close', resolve)) }
}
