import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { freePorts } from '../servers/ports.ts'
import { type Deployment, deploy, upstream } from './under-test.ts'

test('An application that is down: 502, as a page for a person and as a problem for a program', async (t) => {
  const [port] = await freePorts(1)
  const deployment = await behind(t, `http://127.0.0.1:${port}`)
  const { origin, lines } = deployment
  const page = await deployment.browser().get(`${origin}/?secret=1`)
  assert.equal(page.status, 502)
  assert.match(page.text, /^<!doctype html>.*does not answer/)
  const problem = await fetch(origin)
  assert.equal(problem.status, 502)
  assert.equal((await problem.json()).code, 'upstream_unreachable')
  assert.match(lines.join(''), /upstream_failed.*ECONNREFUSED/)
  assert.doesNotMatch(lines.join(''), /secret/)
})

test('An application that takes too long: 504', async (t) => {
  const app = await upstream(t, () => {})
  const { origin } = await behind(t, app.url, 0.5)
  const answer = await fetch(origin, { method: 'POST', body: 'x' })
  assert.equal(answer.status, 504)
  assert.equal((await answer.json()).code, 'upstream_timeout')
})

for (const [what, sends] of Object.entries({
  'hangs up without an answer': '',
  'does not speak HTTP': 'SSH-2.0-OpenSSH_9.9\r\n',
  'hangs up in the middle of its headers': 'HTTP/1.1 200 OK\r\nContent-Le',
  'sends a header that is none': 'HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n',
  'sends two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  'sends a status that is none': 'HTTP/1.1 99 Strange\r\nContent-Length: 0\r\n\r\n',
  'sends a status of no kind': 'HTTP/1.1 999 Strange\r\nContent-Length: 2\r\n\r\nab',
  'hangs up before the first byte of its answer': 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
})) {
  test(`An application that ${what}: 502 without a word of the inside`, async (t) => {
    const { origin } = await behind(t, await rawUpstream(t, sends))
    const answer = await fetch(origin, { method: 'POST', body: 'x' })
    assert.equal(answer.status, 502)
    const text = await answer.text()
    assert.equal(JSON.parse(text).status, 502)
    assert.doesNotMatch(text, /127\.0\.0\.1|node_modules|Error/)
  })
}

test('A header of an application that is not ASCII passes as its bytes', async (t) => {
  const raw = 'HTTP/1.1 200 OK\r\nX-Name: J\u00fcrgen \u4e16\r\nContent-Length: 0\r\n\r\n'
  const { origin } = await behind(t, await rawUpstream(t, raw))
  const answer = await fetch(origin)
  assert.equal(answer.status, 200)
  assert.equal(Buffer.from(answer.headers.get('x-name') ?? '', 'latin1').toString(), 'Jürgen 世')
})

function behind(t: TestContext, url: string, upstreamSeconds = 30): Promise<Deployment> {
  const limits = {
    requestBytes: 1e6,
    headerBytes: 16_384,
    headersSeconds: 60,
    requestSeconds: 0,
    upstreamSeconds,
    connections: 100,
    streamCheckSeconds: 30,
  }
  return deploy(t, { applications: [{ upstream: url, access: 'public' }], over: { limits } })
}

/** Sends this to whoever asks, and hangs up. */
async function rawUpstream(t: TestContext, sends: string): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => socket.end(sends))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}
