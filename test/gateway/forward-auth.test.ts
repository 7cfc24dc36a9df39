import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { TestBrowser } from '#coatcheck/testing/browser'
import { loopbackFetch } from '#coatcheck/testing/loopback'
import { freePorts } from '../servers/ports.ts'
import { ask, askRaw } from './guard-ask.ts'
import { statusesOf } from './refused.ts'
import { type Deployment, type DeploymentOptions, deploy } from './under-test.ts'

const PATH = '/forward-auth'

test('Who is signed in is let through, with the headers the other proxy hands on', async (t) => {
  const { ask, deployment } = await start(t)
  const answer = await ask({ 'x-original-uri': '/page' }, await deployment.signedIn())
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('x-forwarded-user'), 'U1')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  const jwt = answer.headers.get('x-coatcheck-identity') ?? ''
  const { aud } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
  assert.equal(aud, 'behind')
  // Empty but there, so that a forged one is overwritten.
  assert.equal(answer.headers.get('x-forwarded-email'), '')
})

test('nginx is told 401, which is all it passes on, and where to sign in', async (t) => {
  const { ask } = await start(t)
  const answer = await ask({ 'x-original-uri': '/page?a=b', ...PAGE })
  assert.equal(answer.status, 401)
  assert.equal(answer.headers.get('location'), '/auth/sign-in?return_to=%2Fpage%3Fa%3Db')
})

test('Traefik and Caddy hand the browser a redirect to the sign-in that comes back', async (t) => {
  const { ask } = await start(t)
  const answer = await ask({ 'x-forwarded-uri': '/page?a=b', 'x-forwarded-method': 'GET', ...PAGE })
  assert.equal(answer.status, 302)
  assert.equal(answer.headers.get('location'), '/auth/sign-in?return_to=%2Fpage%3Fa%3Db')
})

test('Envoy asks below the path, with the method that was used', async (t) => {
  const { ask, deployment } = await start(t)
  const browser = await deployment.signedIn()
  assert.equal(
    (await ask({ ...PAGE }, undefined, '/page?a=b')).headers.get('location'),
    '/auth/sign-in?return_to=%2Fpage%3Fa%3Db',
  )
  assert.equal((await ask({}, browser, '/data', 'POST')).status, 200)
})

test('A program, or what is no page, gets 401 from each of them', async (t) => {
  const { ask } = await start(t)
  assert.equal((await ask({ 'x-forwarded-uri': '/data' })).status, 401)
  assert.equal(
    (await ask({ 'x-forwarded-uri': '/form', 'x-forwarded-method': 'POST', ...PAGE })).status,
    401,
  )
})

test('After a sign-out nobody is let through', async (t) => {
  const { ask, deployment } = await start(t)
  const browser = await deployment.signedIn()
  assert.equal((await ask({ 'x-original-uri': '/' }, browser)).status, 200)
  await deployment.gateway.auth.signOut({ subject: 'U1' })
  assert.equal((await ask({ 'x-original-uri': '/' }, browser)).status, 401)
})

test('Who is no trusted proxy gets no answer: the identity JWT is not for scripts', async (t) => {
  const { ask, deployment } = await start(t, { trustedProxies: [] })
  const answer = await ask({ 'x-original-uri': '/' }, await deployment.signedIn())
  assert.equal(answer.status, 403)
  assert.equal(answer.headers.get('x-coatcheck-identity'), null)
  assert.match(deployment.lines.join(''), /forward_auth_untrusted.*listen\.trustedProxies/)
})

test('A WebSocket that a page of another origin opens is refused, by whatever its proxy leaves of it', async (t) => {
  const { ask, deployment } = await start(t)
  const browser = await deployment.signedIn()
  // nginx and Traefik take `Upgrade` off what they ask.
  for (const sign of [
    { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
    { 'sec-fetch-mode': 'websocket' },
  ]) {
    const socket = { 'x-original-uri': '/socket', 'x-original-method': 'GET', ...sign }
    const foreign = { ...socket, origin: 'https://evil.example' }
    assert.equal((await ask(foreign, browser)).status, 403)
    assert.equal((await ask({ ...socket, origin: deployment.origin }, browser)).status, 200)
  }
})

for (const [title, headers, below, method, status] of [
  ['nginx says nothing of the method', { 'x-original-uri': '/a' }, '', 'GET', 403],
  ['nginx says GET', { 'x-original-uri': '/a', 'x-original-method': 'GET' }, '', 'GET', 200],
  ['nginx says POST', { 'x-original-uri': '/a', 'x-original-method': 'POST' }, '', 'GET', 403],
  ['Traefik says nothing of the method', { 'x-forwarded-uri': '/a' }, '', 'GET', 403],
  ['Traefik says GET', { 'x-forwarded-uri': '/a', 'x-forwarded-method': 'GET' }, '', 'GET', 200],
  ['Envoy asks by GET', {}, '/a', 'GET', 200],
  ['Envoy asks by POST', {}, '/a', 'POST', 403],
  ['nobody says what was asked for', {}, '', 'GET', 403],
  ['only a method is said', { 'x-forwarded-method': 'GET' }, '', 'GET', 403],
  [
    'nginx says nothing of the method, and the client does in the words of others',
    { 'x-original-uri': '/a', 'x-forwarded-uri': '/b', 'x-forwarded-method': 'GET' },
    '',
    'GET',
    403,
  ],
  [
    'Envoy asks by POST, and the client says GET',
    { 'x-original-method': 'GET', 'x-forwarded-method': 'GET' },
    '/a',
    'POST',
    403,
  ],
] as const) {
  test(`For an API, where ${title}, a cookie without a word of its page gets ${status}`, async (t) => {
    const { ask, deployment } = await start(t, { access: 'api' })
    const answer = await ask(headers, await deployment.signedIn(), below, method)
    assert.equal(answer.status, status)
  })
}

test('What is said in the words of two proxies is not mixed', async (t) => {
  const { ask } = await start(t)
  const both = { 'x-original-uri': '/a', 'x-forwarded-uri': '/b', 'x-forwarded-method': 'POST' }
  const answer = await ask({ ...both, ...PAGE })
  assert.equal(answer.status, 401)
  assert.equal(answer.headers.get('location'), '/auth/sign-in?return_to=%2Fa')
})

test('The public listener does not answer there, whoever asks: a proxy may pass everything on to it', async (t) => {
  const { deployment } = await start(t)
  const cookie = (await deployment.signedIn()).cookieHeader(deployment.origin)
  for (const path of [PATH, `${PATH}/page`]) {
    const answer = await loopbackFetch(deployment.origin + path, { headers: { cookie } })
    // The application at `/` is asked, and is away.
    assert.equal(answer.status, 502)
    assert.equal(answer.headers.get('x-coatcheck-identity'), null)
  }
})

test('Beside its path its listener has nothing, and what leads upwards is no path below it', async (t) => {
  const { deployment } = await start(t)
  const cookie = (await deployment.signedIn()).cookieHeader(deployment.origin)
  for (const path of ['/', '/auth/session', `${PATH}x`, `${PATH}/%2e%2e/auth/session`]) {
    const url = deployment.gateway.forwardAuthUrl + path
    assert.equal((await ask(url, { headers: { cookie } })).status, 404, path)
  }
})

test('Where the public listener speaks TLS, so does the one that proxies ask', async (t) => {
  const { gateway } = await deploy(t, await overTls())
  const ca = readFileSync(pem('crt'))
  const outgoing = request(`${gateway.forwardAuthUrl}${PATH}`, { ca, servername: 'localhost' })
  outgoing.end()
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  assert.equal(answer.resume().statusCode, 401)
  assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000')
  outgoing.destroy()
})

test('An encoding that nobody knows spoils a connection there, too', async (t) => {
  const { deployment } = await start(t)
  const url = deployment.gateway.forwardAuthUrl ?? ''
  const head = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`
  const next = `GET ${PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
  const text = await askRaw(url, head + next)
  assert.equal(statusesOf(text)[0], 501)
  assert.ok(!statusesOf(text).includes(401))
})

test('Who is slow with headers or a body is hung up on there as at the public listener', async (t) => {
  const { deployment } = await start(t, { limits: { headersSeconds: 0.3 } })
  const url = deployment.gateway.forwardAuthUrl ?? ''
  const head = `GET ${PATH} HTTP/1.1\r\nHost: x\r\n`
  assert.deepEqual(statusesOf(await askRaw(url, head)), [408])
  assert.deepEqual(statusesOf(await askRaw(url, '')), [408])
  assert.deepEqual(statusesOf(await askRaw(url, `${head}Content-Length: 9\r\n\r\nsome`)), [401])
})

test('There is room for so many connections, there too', async (t) => {
  const { deployment } = await start(t, { limits: { connections: 1 } })
  const url = deployment.gateway.forwardAuthUrl ?? ''
  const { hostname, port } = new URL(url)
  const head = `GET ${PATH} HTTP/1.1\r\nHost: x\r\n`
  const held = connect(Number(port), hostname)
  held.write(`${head}\r\n`)
  await once(held, 'data')
  const answer = askRaw(url, `${head}Connection: close\r\n\r\n`)
  assert.equal(await answer.catch(() => ''), '')
  held.destroy()
})

test('Who takes too long to begin with TLS is hung up on there, too', async (t) => {
  const { gateway } = await deploy(t, await overTls({ headersSeconds: 0.4 }))
  const { hostname, port } = new URL(gateway.forwardAuthUrl ?? '')
  for (const bytes of ['', '1603010200']) {
    const socket = connect(Number(port), hostname)
    socket.write(Buffer.from(bytes, 'hex'))
    socket.resume()
    await once(socket, 'close')
  }
})

test('A way back to another site is not followed', async (t) => {
  const { ask } = await start(t)
  const answer = await ask({ 'x-forwarded-uri': 'https://evil.example/x', ...PAGE })
  assert.equal(answer.headers.get('location'), '/auth/sign-in?return_to=%2Fx')
})

function pem(name: string): string {
  return fileURLToPath(new URL(`../support/tls/localhost.${name}.pem`, import.meta.url))
}

async function overTls(limits: DeploymentOptions['limits'] = {}): Promise<DeploymentOptions> {
  const [port = 0] = await freePorts(1)
  const tls = { certificate: pem('crt'), key: pem('key') }
  return {
    applications: [],
    limits,
    over: {
      origin: `https://localhost:${port}`,
      listen: { host: '127.0.0.1', port, tls, trustedProxies: ['127.0.0.1'] },
      forwardAuth: { path: PATH, application: 'behind', host: '127.0.0.1', port: 0 },
    },
  }
}

const PAGE = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }

async function start(
  t: TestContext,
  {
    access = 'signed_in',
    trustedProxies = ['127.0.0.0/8'],
    limits = {},
  }: {
    access?: 'signed_in' | 'api'
    trustedProxies?: readonly string[]
    limits?: DeploymentOptions['limits']
  } = {},
) {
  const options: DeploymentOptions = {
    applications: [{ name: 'behind', upstream: 'http://127.0.0.1:9', access }],
    over: { forwardAuth: { path: PATH, application: 'behind', host: '127.0.0.1', port: 0 } },
    trustedProxies,
    limits,
  }
  const deployment: Deployment = await deploy(t, options)
  return {
    deployment,
    ask(
      headers: Record<string, string>,
      browser?: TestBrowser,
      below = '',
      method = 'GET',
    ): Promise<Response> {
      const cookie = browser?.cookieHeader(deployment.origin)
      // `fetch` names its own Sec-Fetch-Mode.
      return loopbackFetch(`${deployment.gateway.forwardAuthUrl}${PATH}${below}`, {
        method,
        headers: { ...headers, ...(cookie && { cookie }) },
      })
    },
  }
}
