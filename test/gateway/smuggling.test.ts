import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askRaw } from './guard-ask.ts'
import { start, statusesOf, urlsOf, WEB_SOCKET } from './refused.ts'
import { deploy, upstream } from './under-test.ts'

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

for (const head of [
  'POST / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive',
  'POST / HTTP/1.0\r\nConnection: keep-alive',
  'POST /auth/sign-out HTTP/1.0\r\nHost: x\r\nConnection: keep-alive',
]) {
  test(`Chunks of a version that had none, ${JSON.stringify(head)}, are refused, and so is what comes after`, async (t) => {
    const { app, origin } = await start(t)
    const text = await askRaw(origin, `${head}\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}`)
    assert.equal(statusesOf(text)[0], 400)
    assert.ok(!statusesOf(text).includes(200))
    assert.deepEqual(urlsOf(app), [])
  })
}

test('An encoding that nobody knows spoils the connection of a request that is refused for something else, too', async (t) => {
  for (const line of ['TRACE / HTTP/1.1\r\nHost: x', 'POST / HTTP/1.1\r\nHost: a b']) {
    const { app, origin } = await start(t)
    const text = await askRaw(origin, `${line}\r\nTransfer-Encoding: xchunked\r\n\r\n${CHUNKED}`)
    assert.ok(!statusesOf(text).includes(200))
    assert.deepEqual(urlsOf(app), [])
  }
})

for (const path of [
  '/auth/session',
  '/.well-known/jwks.json',
  '/healthz',
  '/readyz',
  '/metrics',
  '/nobodys',
  '//open/x',
  '/%zz',
]) {
  test(`Nor is it anybody's at ${path}, whoever answers there`, async (t) => {
    const app = await upstream(t)
    const { origin } = await deploy(t, {
      applications: [{ upstream: app.url, path: '/open', access: 'public' }],
    })
    const next = 'GET /open/smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n`
    const text = await askRaw(origin, `${head}0\r\n\r\n${next}`)
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
