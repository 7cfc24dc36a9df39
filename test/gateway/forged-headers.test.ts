import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { askRaw } from './guard-ask.ts'
import { type Deployment, deploy, type Upstream, upstream } from './under-test.ts'

/** What a stranger wants to be taken for: wherever this arrives, a header got through. */
const FORGED = 'mallory'

const PROTECTED = [
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Preferred-Username',
  'X-Forwarded-Groups',
  'X-Coatcheck-Identity',
]

/** Each is one or more header lines as they are written to the socket. */
const DROPPED: readonly string[] = [
  ...PROTECTED.map(line),
  ...PROTECTED.map((name) => line(name.toLowerCase())),
  ...PROTECTED.map((name) => line(name.toUpperCase())),
  ...PROTECTED.map((name) => line(name.replaceAll('-', '_'))),
  ...PROTECTED.map((name) => line(name.replaceAll('-', '.'))),
  ...PROTECTED.map((name) => line(name.replace('-', '_'))),
  ...[..."!#$%&'*+^`|~"].map((mark) => line(`X${mark}Forwarded${mark}User`)),
  line('XForwardedUser'),
  line('x--forwarded--user'),
  line('x-_forwarded_-user'),
  line('_X-Forwarded-User'),
  line('X-Forwarded-User_'),
  line('HTTP_X_FORWARDED_USER'),
  line('HTTP-X-Forwarded-User'),
  line('X%2DForwarded%2DUser'),
  line('X%2dForwarded%2dUser'),
  line('%58-Forwarded-User'),
  line('X-Forwarded-%55ser'),
  line('X%5FForwarded%5FUser'),
  `X-Forwarded-User:${FORGED}`,
  `X-Forwarded-User: \t ${FORGED} \t `,
  `X-Forwarded-User:\t${FORGED}\t`,
  `X-Forwarded-User:\r\nX-Forwarded-User: ${FORGED}`,
  `${line('X-Forwarded-User')}\r\n${line('X-Forwarded-User')}`,
  `${line('X-Forwarded-User')}\r\n${line('x_forwarded_user')}\r\n${line('X.Forwarded.User')}`,
  `Connection: X-Forwarded-User\r\n${line('X-Forwarded-User')}`,
  `Connection: close, x-forwarded-user , X-Coatcheck-Identity\r\n${line('X-Forwarded-User')}`,
  `Connection: X_Forwarded_User\r\n${line('X_Forwarded_User')}`,
  `Proxy-Connection: ${FORGED}, X-Forwarded-User\r\n${line('X-Forwarded-User')}`,
  `Keep-Alive: timeout=5, ${FORGED}\r\n${line('X-Forwarded-User')}`,
  `Connection: Keep-Alive, X-Anything\r\n${line('X-Anything')}`,
  `TE: trailers, ${FORGED}`,
  `Proxy-Authorization: Basic ${FORGED}`,
  `Forwarded: for=${FORGED};host=${FORGED};proto=https`,
  `Forwarded: for=a\r\nForwarded: for=${FORGED}`,
  line('X-Forwarded-For'),
  line('X-Forwarded-Host'),
  line('X_Forwarded_Host'),
  line('X-Forwarded-Proto'),
  line('X-Forwarded-Prefix'),
  line('X-Forwarded-Client-Cert'),
  line('X-Forwarded-Access-Token'),
  line('X-Forwarded-Something-New'),
  line('X-Real-IP'),
  line('X_Real_IP'),
  line('True-Client-IP'),
  line('Remote-User'),
  line('REMOTE_USER'),
  line('HTTP_REMOTE_USER'),
  line('Remote_Addr'),
  line('X-Auth-Request-User'),
  line('X-Auth-Request-Access-Token'),
  line('X-Original-URL'),
  line('X-Rewrite-URL'),
  line('X-Coatcheck-Session'),
  line('X-MS-CLIENT-PRINCIPAL'),
  line('X-MS-CLIENT-PRINCIPAL-NAME'),
  line('x_ms_token_aad_id_token'),
  line('X-Goog-Authenticated-User-Email'),
  line('X-WEBAUTH-USER'),
  line('Proxy'),
  line('X-Amzn-Oidc-Identity'),
  line('x_amzn_oidc_data'),
  line('Tailscale-User-Login'),
  line('TAILSCALE_USER_NAME'),
  line('X-Authentik-Username'),
  line('x.authentik.groups'),
  line('X-SSL-Client-S-DN'),
  line('X_SSL_Client_Cert'),
  line('X-ARR-ClientCert'),
  line('X_ARR_ClientCert'),
  // What HTTP itself lives by, in spellings that it does not read and a server behind it may.
  line('Transfer_Encoding'),
  line('Transfer.Encoding'),
  line('HTTP_TRANSFER_ENCODING'),
  line('Content_Length'),
  line('content%2Dlength'),
  line('HTTP_CONTENT_LENGTH'),
  line('HTTP_HOST'),
  line('HTTP_COOKIE'),
  line('HTTP_AUTHORIZATION'),
  line('Keep_Alive'),
  line('Proxy_Authorization'),
  line('HTTP2_Settings'),
  line('HTTP_UPGRADE'),
]

/** No server may guess what these mean. */
const REFUSED: readonly string[] = [
  `X-Forwarded-User : ${FORGED}`,
  `X-Forwarded-User\t: ${FORGED}`,
  ` X-Forwarded-User: ${FORGED}`,
  `X-Forwarded-User:\r\n ${FORGED}`,
  `X-Forwarded-User:\r\n\t${FORGED}`,
  `Accept: a\r\n X-Forwarded-User: ${FORGED}`,
  `Accept: a\nX-Forwarded-User: ${FORGED}`,
  `Accept: a\rX-Forwarded-User: ${FORGED}`,
  `Accept: a\0\r\nX-Forwarded-User: ${FORGED}`,
  `X-Forwarded-User\0: ${FORGED}`,
  `X-Forwarded User: ${FORGED}`,
  `X-Forwarded-User: x: ${FORGED}\0`,
  `"X-Forwarded-User": ${FORGED}`,
  `X/Forwarded/User: ${FORGED}`,
  `X-Forwarded-U\u0455er: ${FORGED}`,
  `X\u2010Forwarded\u2010User: ${FORGED}`,
  `\uff38-Forwarded-User: ${FORGED}`,
  `X-Coatchec\u212a-Identity: ${FORGED}`,
  `X-Forwarded-\u017fer: ${FORGED}`,
  `X-Forwarded-User\u200b: ${FORGED}`,
  `X-Forwarded-User\u00a0: ${FORGED}`,
  `: ${FORGED}`,
]

test('A header that only the gateway may write does not come from outside, however it is spelled', async (t) => {
  const { app, headOf, ask } = await signedIn(t)
  for (const lines of DROPPED) {
    await t.test(JSON.stringify(lines), async () => {
      assert.match(await ask(headOf('GET /', lines)), /^HTTP\/1\.1 200 /)
      assert.equal(app.requests.length, 1)
      assertTold(app.requests.pop(), 'U1')
    })
  }
})

test('A header whose name is none is refused, and nothing reaches the application', async (t) => {
  const { app, headOf, ask } = await signedIn(t)
  for (const lines of REFUSED) {
    await t.test(JSON.stringify(lines), async () => {
      assert.match(await ask(headOf('GET /', lines)), /^HTTP\/1\.1 400 /)
      assert.equal(app.requests.length, 0)
    })
  }
})

test('A WebSocket is opened without what was forged, too', async (t) => {
  const { app, opened, headOf, ask } = await signedIn(t)
  for (const lines of DROPPED) {
    await t.test(JSON.stringify(lines), async () => {
      assert.match(await ask(headOf('GET /socket', `${lines}\r\n${UPGRADE}`)), /^HTTP\/1\.1 101 /)
      assert.equal(opened.length, 1)
      assertTold(opened.pop(), 'U1')
    })
  }
  for (const lines of REFUSED) {
    await t.test(JSON.stringify(lines), async () => {
      assert.match(await ask(headOf('GET /socket', `${lines}\r\n${UPGRADE}`)), /^HTTP\/1\.1 400 /)
      assert.equal(opened.length, 0)
    })
  }
  assert.equal(app.requests.length, 0)
})

test('Trailers are not headers: those of a request end at the gateway', async (t) => {
  const { app, headOf, ask } = await signedIn(t)
  const trailers = PROTECTED.map(line).join('\r\n')
  const head = headOf('POST /', 'Transfer-Encoding: chunked\r\nTrailer: X-Forwarded-User')
  assert.match(await ask(`${head}4\r\nbody\r\n0\r\n${trailers}\r\n\r\n`), /^HTTP\/1\.1 200 /)
  const [request] = app.requests
  assertTold(request, 'U1')
  assert.deepEqual(request?.rawTrailers, [])
  assert.equal(request?.headers.trailer, undefined)
})

test('What is forged for nobody leaves nobody signed in', async (t) => {
  const { app, ask } = await signedIn(t, { access: 'public' })
  const lines = DROPPED.filter((one) => !one.includes('Connection:')).join('\r\n')
  const text = await ask(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}\r\n\r\n`)
  assert.match(text, /^HTTP\/1\.1 200 /)
  const [request] = app.requests
  assert.ok(request)
  assert.doesNotMatch(sentOf(request), new RegExp(FORGED))
  for (const name of PROTECTED) {
    for (const fold of FOLDINGS) assert.deepEqual(valuesOf(request, name, fold), [], name)
  }
})

test('Requests in one piece on one connection are told apart: the second is not the user of the first', async (t) => {
  const { app, cookie, ask } = await signedIn(t, { access: 'public' })
  const forged = PROTECTED.map(line).join('\r\n')
  const of = (path: string, more: string): string =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${forged}\r\n${more}\r\n\r\n`
  const text = await ask(
    of('/first', `Cookie: ${cookie}`) +
      of('/second', 'Accept: */*') +
      of('/third', 'Connection: close'),
  )
  assert.equal(text.match(/HTTP\/1\.1 200 /g)?.length, 3)
  const byPath = new Map(app.requests.map((request) => [request.url, request]))
  assertTold(byPath.get('/first'), 'U1')
  for (const path of ['/second', '/third']) {
    const request = byPath.get(path)
    assert.ok(request)
    assert.doesNotMatch(sentOf(request), new RegExp(FORGED))
    assert.equal(request.headers['x-forwarded-user'], undefined)
    assert.equal(request.headers['x-coatcheck-identity'], undefined)
  }
})

test('Names that the operator chose are as protected, and those other proxies use stay so', async (t) => {
  const headers = {
    user: 'Subject_Of',
    email: 'mail',
    preferredUsername: 'X.Login',
    groups: 'Teams',
    identity: 'Who-Is-This',
  }
  const { app, headOf, ask } = await signedIn(t, { headers })
  const spellings = Object.values(headers).flatMap((name) => [
    name,
    name.toUpperCase(),
    name.replaceAll(/[._-]/g, '-'),
    name.replaceAll(/[._-]/g, '_'),
    `HTTP_${name}`,
  ])
  for (const name of [...spellings, ...PROTECTED]) {
    assert.match(await ask(headOf('GET /', line(name))), /^HTTP\/1\.1 200 /)
    const request = app.requests.pop()
    assert.ok(request)
    assert.doesNotMatch(sentOf(request), new RegExp(FORGED), name)
    assert.deepEqual(valuesOf(request, headers.user, cgi), ['U1'])
  }
})

test('A token of the client does not pass for the one that the gateway attaches', async (t) => {
  const { app, headOf, ask } = await signedIn(t, { accessToken: true })
  for (const name of ['Authorization', 'authorization', 'AUTHORIZATION']) {
    await ask(headOf('GET /', `${name}: Bearer ${FORGED}\r\n${name}: Bearer ${FORGED}`))
    const request = app.requests.pop()
    assert.ok(request)
    assert.doesNotMatch(sentOf(request), new RegExp(FORGED))
    assert.match(request.headers.authorization ?? '', /^Bearer ./)
  }
})

/** How servers make a variable of a header's name. */
const FOLDINGS = [cgi, wsgi, (name: string) => name.toLowerCase()]

/** RFC 3875 section 4.1.18, as PHP does it. */
function cgi(name: string): string {
  return `HTTP_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`
}

/** PEP 3333. */
function wsgi(name: string): string {
  return `HTTP_${name.toUpperCase().replaceAll('-', '_')}`
}

/** The application was told this user, once, and by nobody else. */
function assertTold(request: IncomingMessage | undefined, subject: string): void {
  assert.ok(request)
  assert.doesNotMatch(sentOf(request), new RegExp(FORGED))
  for (const fold of FOLDINGS) {
    assert.deepEqual(valuesOf(request, 'X-Forwarded-User', fold), [subject])
    const [jwt = '', ...others] = valuesOf(request, 'X-Coatcheck-Identity', fold)
    assert.deepEqual(others, [])
    const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
    assert.equal(claims.sub, subject)
  }
}

function valuesOf(
  { rawHeaders }: IncomingMessage,
  name: string,
  fold: (name: string) => string,
): string[] {
  const wanted = fold(name)
  return rawHeaders.filter((_, at) => at % 2 === 1 && fold(rawHeaders[at - 1] ?? '') === wanted)
}

function sentOf({ url, rawHeaders, rawTrailers }: IncomingMessage): string {
  return [url, ...rawHeaders, ...rawTrailers].join('\n')
}

function line(name: string): string {
  return `${name}: ${FORGED}`
}

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
].join('\r\n')

interface SignedIn {
  readonly app: Upstream
  /** WebSockets that reached the application. */
  readonly opened: IncomingMessage[]
  readonly cookie: string
  /** A request of the user who signed in. */
  headOf(start: string, lines: string): string
  ask(text: string): Promise<string>
}

async function signedIn(
  t: TestContext,
  {
    headers,
    ...application
  }: {
    access?: 'public'
    accessToken?: true
    headers?: Deployment['configuration']['headers']
  } = {},
): Promise<SignedIn> {
  const app = await upstream(t)
  const opened: IncomingMessage[] = []
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    opened.push(request)
    socket.end(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    )
  })
  const { origin, signedIn } = await deploy(t, {
    applications: [{ upstream: app.url, ...application }],
    over: headers === undefined ? {} : { headers },
  })
  const browser = await signedIn()
  app.requests.length = 0
  const cookie = browser.cookieHeader(origin)
  return {
    app,
    opened,
    cookie,
    headOf: (start, lines) =>
      `${start} HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n${lines}\r\nConnection: close\r\n\r\n`,
    ask: (text) => askRaw(origin, text),
  }
}
