import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { askRaw } from './guard-ask.ts'
import { type Deployment, deploy, type Upstream, upstream } from './under-test.ts'

const NEXT = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
const CHUNKED = `0\r\n\r\n${NEXT}`

/** Two servers could differ in where such a request ends: lines of its head, and what follows it. */
const TWO_ENDS: Readonly<Record<string, readonly [lines: string, body: string]>> = {
  'a length and chunks': [
    `Content-Length: ${CHUNKED.length}\r\nTransfer-Encoding: chunked`,
    CHUNKED,
  ],
  'chunks and a length': [
    `Transfer-Encoding: chunked\r\nContent-Length: ${CHUNKED.length}`,
    CHUNKED,
  ],
  'no length and chunks': ['Content-Length: 0\r\nTransfer-Encoding: chunked', CHUNKED],
  'two lengths': [`Content-Length: 0\r\nContent-Length: ${NEXT.length}`, NEXT],
  'two lengths in one': [`Content-Length: 0, ${NEXT.length}`, NEXT],
  'the same length twice': ['Content-Length: 4\r\nContent-Length: 4', 'body'],
  'a length with a sign': [`Content-Length: +${NEXT.length}`, NEXT],
  'a length below nothing': ['Content-Length: -1', NEXT],
  'a length in other digits': ['Content-Length: 0x10', NEXT],
  'a length and a word': ['Content-Length: 0 bytes', NEXT],
  'a length that no number holds': ['Content-Length: 99999999999999999999', NEXT],
  'an empty length': ['Content-Length:', NEXT],
  'a space before the colon of the encoding': ['Transfer-Encoding : chunked', CHUNKED],
  'a space before the colon of the length': [`Content-Length : ${NEXT.length}`, NEXT],
  'a tab before the colon': ['Transfer-Encoding\t: chunked', CHUNKED],
  'an encoding on a folded line': ['Transfer-Encoding:\r\n chunked', CHUNKED],
  'an encoding after chunks': ['Transfer-Encoding: chunked, identity', CHUNKED],
  'chunks twice': ['Transfer-Encoding: chunked, chunked', CHUNKED],
  'chunks and something else': ['Transfer-Encoding: chunked\r\nTransfer-Encoding: x', CHUNKED],
  'an encoding behind a vertical tab': ['Transfer-Encoding: \vchunked', CHUNKED],
  'an encoding behind NUL': ['Transfer-Encoding: \0chunked', CHUNKED],
  'a bare line feed in the head': ['Accept: a\nTransfer-Encoding: chunked', CHUNKED],
  'a bare carriage return in the head': ['Accept: a\rTransfer-Encoding: chunked', CHUNKED],
}

for (const [title, [lines, body]] of Object.entries(TWO_ENDS)) {
  test(`A request with ${title} is refused, and so is what comes after it`, async (t) => {
    const { app, origin } = await start(t)
    const text = await askRaw(origin, `POST / HTTP/1.1\r\nHost: x\r\n${lines}\r\n\r\n${body}`)
    assert.deepEqual(statusesOf(text), [400])
    assert.deepEqual(urlsOf(app), [])
  })
}

for (const encoding of [
  'gzip, chunked',
  'identity, chunked',
  'xchunked',
  'identity',
  '"chunked"',
]) {
  test(`The encoding ${encoding} is nobody's here: 501, and what comes after it is no request`, async (t) => {
    const { app, origin } = await start(t)
    const lines = `Host: x\r\nTransfer-Encoding: ${encoding}`
    const text = await askRaw(origin, `POST / HTTP/1.1\r\n${lines}\r\n\r\n${CHUNKED}`)
    assert.equal(statusesOf(text)[0], 501)
    assert.ok(!statusesOf(text).includes(200))
    assert.deepEqual(urlsOf(app), [])
  })
}

/** The head is right, and the application may have it already when the body turns out wrong. */
const WRONG_CHUNKS = {
  'a bare line feed after the size of a chunk': `0\n\n${NEXT}`,
  'a bare line feed after a chunk': `1\r\na\n${CHUNKED}`,
  'a bare line feed in the extension of a chunk': `1;a\nb\r\na\r\n${CHUNKED}`,
  'a chunk whose size has a prefix': `0x1\r\na\r\n${CHUNKED}`,
  'a chunk whose size has a sign': `-1\r\na\r\n${CHUNKED}`,
  'a chunk whose size no number holds': `10000000000000001\r\na\r\n${CHUNKED}`,
  'a chunk with a space before its size': ` 1\r\na\r\n${CHUNKED}`,
  'a chunk that is longer than it says': `1\r\nab\r\n${CHUNKED}`,
}

for (const [title, body] of Object.entries(WRONG_CHUNKS)) {
  test(`A body with ${title} is never whole, and what comes after it is no request`, async (t) => {
    const { app, origin, whole } = await start(t)
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n'
    const text = await askRaw(origin, head + body)
    assert.deepEqual(statusesOf(text), [400])
    assert.ok(!urlsOf(app).includes('/smuggled'))
    assert.deepEqual(whole, [])
  })
}

test('A chunk may have extensions: its bytes arrive, they do not', async (t) => {
  const { origin, whole } = await start(t)
  const head =
    'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
  const text = await askRaw(origin, `${head}4;name="value";other\r\ncoat\r\n0;last\r\n\r\n`)
  assert.deepEqual(statusesOf(text), [200])
  assert.deepEqual(whole, ['/ coat'])
})

test('A WebSocket whose request has a body is none: nobody takes the body for what follows', async (t) => {
  for (const lines of [`Content-Length: ${NEXT.length}`, 'Transfer-Encoding: chunked']) {
    const { app, origin } = await start(t)
    const upgrades: unknown[] = []
    app.server.on('upgrade', (_, socket) => upgrades.push(socket.destroy()))
    const text = await askRaw(origin, `${WEB_SOCKET}${lines}\r\n\r\n${NEXT}`)
    assert.deepEqual(statusesOf(text), [400])
    assert.deepEqual(urlsOf(app), [])
    assert.equal(upgrades.length, 0)
  }
})

test('An application that wants no WebSocket does not get what follows as requests', async (t) => {
  const { app, origin } = await start(t)
  const text = await askRaw(origin, `${WEB_SOCKET}\r\n${NEXT}`)
  assert.deepEqual(statusesOf(text), [200])
  assert.deepEqual(urlsOf(app), ['/'])
})

test('A path that another server could read as one of another application reaches neither', async (t) => {
  const [open, closed] = [await upstream(t), await upstream(t)]
  const { origin } = await deploy(t, {
    applications: [
      { name: 'admin', upstream: closed.url, path: '/admin', access: 'public' },
      { name: 'open', upstream: open.url, access: 'public' },
    ],
  })
  for (const path of OTHER_READINGS) {
    await t.test(path, async () => {
      const head = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
      assert.deepEqual(statusesOf(await askRaw(origin, head)), [400])
      const socket = `GET ${path} HTTP/1.1\r\n${UPGRADE}\r\n`
      assert.deepEqual(statusesOf(await askRaw(origin, socket)), [400])
      assert.deepEqual([...urlsOf(open), ...urlsOf(closed)], [])
    })
  }
})

const OTHER_READINGS = [
  '/x/../admin',
  '/x/..',
  '/../admin',
  '/./admin',
  '//admin',
  '/x/%2e%2e/admin',
  '/x/%2E%2e%2Fadmin',
  '/x/.%2e/admin',
  '/x/..%2fadmin',
  '/x/..%5cadmin',
  '/x%5c..%5cadmin',
  '/x\\..\\admin',
  '\\admin',
  '/\\admin',
  '/\\evil.example/x',
  '/x/..;/admin',
  '/;x/admin',
  '/admin;x',
  '/admin#x',
  '/admin#/x',
  '/admin%23x',
  '/admin%3fx',
  '/x#/../admin',
  '/%2fadmin',
  '/admin%2fx',
  '/%61dmin',
  '/%2561dmin',
  '/%252e%252e/admin',
  '/%u0061dmin',
  '/%c0%ae%c0%ae/admin',
  '/Admin',
  '/admin%20',
  '/admin%00',
  '/x%00/../admin',
  '/x%0d%0aX-Forwarded-User:%20mallory',
  '/x%',
  '/..x',
  '/x../y',
  '/adm\0in',
  '/adm\tin',
  '/adm\u0131n',
]

test('A host in the address of a request decides nothing: neither whom it reaches nor by whose rules', async (t) => {
  const [open, closed] = [await upstream(t), await upstream(t)]
  const { origin } = await deploy(t, {
    applications: [
      { name: 'admin', upstream: closed.url, host: 'admin.example', access: 'signed_in' },
      { name: 'closed', upstream: closed.url, path: '/admin', access: 'signed_in' },
      { name: 'open', upstream: open.url, access: 'public' },
    ],
  })
  const get = async (target: string, host: string): Promise<number[]> =>
    statusesOf(
      await askRaw(origin, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    )
  for (const target of [
    'http://evil.example/x',
    'HTTPS://user@evil.example:1/x',
    `${closed.url}/x`,
  ]) {
    assert.deepEqual(await get(target, 'x'), [200])
    assert.deepEqual(urlsOf(open), ['/x'])
  }
  for (const target of ['//evil.example/x', '///evil.example', `//${new URL(closed.url).host}/x`]) {
    assert.deepEqual(await get(target, 'x'), [200])
    assert.deepEqual(urlsOf(open), [target])
  }
  for (const [target, host] of [
    ['http://open.example/admin', 'x'],
    ['http://open.example/admin/', 'x'],
    ['http://open.example/', 'admin.example'],
    ['//open.example/', 'admin.example'],
    ['/', 'ADMIN.example:443'],
  ] as const) {
    assert.deepEqual(await get(target, host), [401])
  }
  for (const target of ['evil.example/admin', 'evil.example:443', '?/admin', '#/admin', 'admin']) {
    assert.deepEqual(await get(target, 'x'), [400])
  }
  assert.deepEqual(urlsOf(closed), [])
})

test('A tunnel to anywhere is not to be had, nor an echo of the cookies', async (t) => {
  const { app, origin } = await start(t)
  for (const [start, ...expected] of [
    ['CONNECT evil.example:443'],
    ['CONNECT /'],
    ['TRACE /', 405],
    ['TRACK /', 400],
  ] as const) {
    const text = await askRaw(origin, `${start} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    assert.deepEqual(statusesOf(text), expected, start)
  }
  assert.deepEqual(urlsOf(app), [])
})

test('A request without a host, with two, or for a protocol that is none is refused', async (t) => {
  const { app, origin } = await start(t)
  for (const head of [
    'GET / HTTP/1.1\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n',
    'GET / HTTP/1.2\r\nHost: x\r\n',
    'GET / HTTP/1.1 \r\nHost: x\r\n',
    'GET / HTTP/1.1\nHost: x\n',
    'get / HTTP/1.1\r\nHost: x\r\n',
    'PRI * HTTP/2.0\r\n',
  ]) {
    await t.test(JSON.stringify(head), async () => {
      const text = await askRaw(origin, `${head}Connection: close\r\n\r\n`)
      assert.deepEqual(statusesOf(text), [400])
      assert.deepEqual(urlsOf(app), [])
    })
  }
})

test('A request of a version of HTTP that had no headers gets 505', async (t) => {
  const { app, origin } = await start(t)
  for (const head of ['GET / HTTP/0.9\r\nHost: x\r\n', 'GET /\r\n']) {
    assert.deepEqual(statusesOf(await askRaw(origin, `${head}\r\n`)), [505])
  }
  assert.deepEqual(urlsOf(app), [])
})

test('Headers and cookies that are too long are refused with 431, without an end to them, too', async (t) => {
  const { app, origin } = await start(t, { headerBytes: 2048 })
  const line = 'GET / HTTP/1.1\r\nHost: x\r\n'
  const long = 'a'.repeat(2048)
  for (const text of [
    `${line}X: ${long}\r\n\r\n`,
    `${line}Cookie: coatcheck=${long}\r\n\r\n`,
    `${line}${'X: some more\r\n'.repeat(300)}\r\n`,
    `${line}Cookie: ${long}`,
    `GET /${long} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ]) {
    assert.deepEqual(statusesOf(await askRaw(origin, text)), [431])
  }
  assert.deepEqual(urlsOf(app), [])
})

test('Who takes too long for the headers gets 408 and is hung up on', async (t) => {
  const { app, origin } = await start(t, { headersSeconds: 0.3 })
  for (const text of ['GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', 'GET /', '\r\n']) {
    assert.deepEqual(statusesOf(await askRaw(origin, text)), [408])
  }
  assert.deepEqual(urlsOf(app), [])
})

test('Who says nothing at all is hung up on', async (t) => {
  const { app, origin } = await start(t, { headersSeconds: 0.3 })
  assert.deepEqual(statusesOf(await askRaw(origin, '')), [408])
  assert.deepEqual(urlsOf(app), [])
})

test('Where uploads have their time, one that takes longer never becomes whole', async (t) => {
  const { origin, whole } = await start(t, { headersSeconds: 0.2, requestSeconds: 0.4 })
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n'
  assert.deepEqual(statusesOf(await askRaw(origin, `${head}some of it`)), [408])
  assert.deepEqual(whole, [])
})

test('A body that says it is too long is not asked for, and not passed on', async (t) => {
  const { app, origin } = await start(t)
  for (const lines of ['', 'Expect: 100-continue\r\n']) {
    const head = `POST / HTTP/1.1\r\nHost: x\r\n${lines}Content-Length: 1001\r\n\r\n`
    assert.equal(statusesOf(await askRaw(origin, head)).at(-1), 413)
  }
  const text = await askRaw(
    origin,
    'POST / HTTP/1.1\r\nHost: x\r\nExpect: the-world\r\nConnection: close\r\n\r\n',
  )
  assert.deepEqual(statusesOf(text), [417])
  assert.deepEqual(urlsOf(app), [])
})

test('One connection more than there may be is closed; when another has ended there is room again', async (t) => {
  const { app, origin } = await start(t, { connections: 2 })
  const head = 'GET / HTTP/1.1\r\nHost: x\r\n'
  const held = [await accepted(origin, head), await accepted(origin, head)]
  urlsOf(app)
  await assert.rejects(askRaw(origin, `${head}Connection: close\r\n\r\n`).then(failOnSilence))
  assert.deepEqual(urlsOf(app), [])
  for (const socket of held) {
    socket.end('Connection: close\r\n\r\n')
    await once(socket, 'close')
  }
  assert.deepEqual(urlsOf(app), ['/', '/'])
  const text = await askRaw(origin, `${head}Connection: close\r\n\r\n`)
  assert.deepEqual(statusesOf(text), [200])
})

/** A connection that the gateway has accepted: it has begun to wait for the rest of a request. */
async function accepted(origin: string, head: string): Promise<Socket> {
  const { hostname, port } = new URL(origin)
  const socket = connect(Number(port), hostname)
  socket.write(`${head}\r\n`)
  await once(socket, 'data')
  socket.resume()
  socket.write(head)
  return socket
}

function failOnSilence(text: string): void {
  if (text === '') throw new Error('closed without an answer')
}

const UPGRADE = [
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
].join('\r\n')

const WEB_SOCKET = `GET / HTTP/1.1\r\n${UPGRADE}`

function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}

function urlsOf({ requests }: Upstream): (string | undefined)[] {
  return requests.splice(0).map(({ url }) => url)
}

interface Started {
  readonly app: Upstream
  readonly origin: string
  /** Path and body of what reached the application to its end. */
  readonly whole: string[]
}

async function start(
  t: TestContext,
  limits: Partial<Deployment['configuration']['limits']> = {},
): Promise<Started> {
  const whole: string[] = []
  const app = await upstream(t, async (request, response) => {
    try {
      let text = ''
      for await (const part of request) text += part
      whole.push(`${request.url} ${text}`)
      response.end()
    } catch {
      // It broke off, as it is meant to.
    }
  })
  const { origin } = await deploy(t, {
    applications: [{ upstream: app.url, access: 'public' }],
    over: { limits: { ...LIMITS, ...limits } },
  })
  return { app, origin, whole }
}

const LIMITS: Deployment['configuration']['limits'] = {
  requestBytes: 1000,
  headerBytes: 8192,
  headersSeconds: 60,
  requestSeconds: 0,
  upstreamSeconds: 30,
  connections: 100,
  streamCheckSeconds: 30,
}
