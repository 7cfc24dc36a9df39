import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { until } from '../servers/until.ts'
import { askRaw } from './guard-ask.ts'
import { start, statusesOf, urlsOf } from './refused.ts'

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

for (const [what, wish] of Object.entries({
  'is refused': 'Upgrade: websocket\r\nContent-Length: 4',
  'the application does not grant': 'Upgrade: websocket',
  'nobody grants': 'Upgrade: h2c',
})) {
  test(`An upgrade that ${what} leaves no connection behind, whatever its client goes on to say`, async (t) => {
    const { origin } = await start(t, { connections: 1 })
    const { hostname, port } = new URL(origin)
    const socket = connect(Number(port), hostname)
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${wish}\r\n\r\n`)
    await once(socket, 'data')
    socket.end('and more')
    socket.resume()
    await once(socket, 'close')
    await until('there is room for the next', async () => {
      const answer = askRaw(origin, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      return statusesOf(await answer.catch(() => '')).includes(200)
    })
  })
}

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
