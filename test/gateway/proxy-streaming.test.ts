import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { deploy, upstream } from './under-test.ts'

test('An event arrives while the application still has more to say', async (t) => {
  let finish = (): void => {}
  const app = await upstream(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: first\n\n')
    finish = () => response.end('data: last\n\n')
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const answer = await fetch(`${origin}/events`)
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
  const first = await reader.read()
  assert.equal(Buffer.from(first.value ?? []).toString(), 'data: first\n\n')
  finish()
  const last = await reader.read()
  assert.equal(Buffer.from(last.value ?? []).toString(), 'data: last\n\n')
  assert.equal((await reader.read()).done, true)
})

test('An event stream is open for its client before the first event', async (t) => {
  const app = await upstream(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const abort = new AbortController()
  const answer = await fetch(`${origin}/events`, { signal: abort.signal })
  assert.equal(answer.headers.get('content-type'), 'text/event-stream')
  abort.abort()
})

test('An upload reaches the application while it is still being sent', async (t) => {
  const arrived: string[] = []
  const app = await upstream(t, async (incoming, response) => {
    for await (const chunk of incoming) {
      arrived.push(String(chunk))
      app.server.emit('chunk')
    }
    response.end(arrived.join(''))
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const outgoing = request(`${origin}/upload`, { method: 'POST' })
  const answered = once(outgoing, 'response')
  const firstArrived = once(app.server, 'chunk')
  outgoing.write('first, ')
  await firstArrived
  assert.deepEqual(arrived, ['first, '])
  outgoing.end('last')
  const [answer] = await answered
  let text = ''
  for await (const chunk of answer) text += chunk
  assert.equal(text, 'first, last')
})

test('An upload waits with its client while the application does not read it', async (t) => {
  const app = await upstream(t, async (incoming, response) => {
    await once(app.server, 'read')
    let bytes = 0
    for await (const chunk of incoming) bytes += chunk.length
    response.end(String(bytes))
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const chunk = Buffer.alloc(1024 * 1024)
  const outgoing = request(`${origin}/upload`, { method: 'PUT' })
  const answered = once(outgoing, 'response')
  let sent = 0
  for (; sent < 128; sent += 1) {
    if (outgoing.write(chunk)) continue
    const drained = once(outgoing, 'drain')
    const patience = new AbortController()
    const waited = wait(500, 'stuck', { signal: patience.signal }).catch(() => 'drained')
    const isStuck = (await Promise.race([drained, waited])) === 'stuck'
    patience.abort()
    if (!isStuck) continue
    assert.ok(sent < 64, `${sent} MB were taken, and nobody had read them`)
    app.server.emit('read')
    await drained
    break
  }
  outgoing.end()
  const [answer] = await answered
  let text = ''
  for await (const part of answer) text += part
  assert.ok(sent < 128, 'nothing ever waited')
  assert.equal(text, String((sent + 1) * chunk.length))
})

test('A download waits with the application while its client does not read it, and arrives whole', async (t) => {
  const chunk = randomBytes(1024 * 1024)
  const app = await upstream(t, async (_, response) => {
    const hash = createHash('sha256')
    for (let sent = 0; sent < 128; sent += 1) {
      hash.update(chunk)
      if (response.write(chunk)) continue
      app.server.emit('waits', sent)
      await once(response, 'drain')
    }
    app.server.emit('sent', hash.digest('hex'))
    response.end()
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const outgoing = request(origin)
  const answered = once(outgoing, 'response')
  const sent = once(app.server, 'sent')
  let taken = 0
  app.server.on('waits', (megabytes: number) => {
    taken = megabytes
  })
  outgoing.end()
  const [answer] = await answered
  // What is neither read here nor kept there fills the sockets, and no more.
  for (let before = -1; taken !== before || taken === 0; await wait(200)) before = taken
  assert.ok(taken < 64, `${taken} MB were taken, and nobody had read them`)
  const hash = createHash('sha256')
  for await (const part of answer) hash.update(part)
  assert.deepEqual(await sent, [hash.digest('hex')])
})

test('A client that leaves in the middle of an answer leaves the application free', async (t) => {
  const app = await upstream(t, (_, response) => {
    response.write('first')
    response.on('close', () => app.server.emit('left'))
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const left = once(app.server, 'left')
  const abort = new AbortController()
  const answer = await fetch(origin, { signal: abort.signal })
  assert.equal(answer.status, 200)
  abort.abort()
  await left
})

for (const method of ['GET', 'POST']) {
  test(`A client that leaves before its ${method} is answered leaves the application free, and is no failure of it`, async (t) => {
    const app = await upstream(t, (incoming, response) => {
      response.on('close', () => app.server.emit('left'))
      incoming.resume().on('end', () => app.server.emit('heard'))
    })
    const { origin, lines } = await deploy(t, {
      applications: [{ upstream: app.url, access: 'public' }],
    })
    const [heard, left] = [once(app.server, 'heard'), once(app.server, 'left')]
    const outgoing = request(origin, { method })
    outgoing.on('error', () => {})
    outgoing.end(method === 'POST' ? 'all of it' : undefined)
    await heard
    outgoing.destroy()
    await left
    assert.doesNotMatch(lines.join(''), /upstream_failed/)
  })
}

test('A client that leaves in the middle of an upload does not leave it whole', async (t) => {
  const app = await upstream(t, (incoming) => {
    incoming.on('error', () => {})
    incoming.resume()
    incoming.on('close', () => app.server.emit('ended', incoming.complete))
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const ended = once(app.server, 'ended')
  const arrived = once(app.server, 'request')
  const outgoing = request(origin, { method: 'POST', headers: { 'content-length': '1000' } })
  outgoing.on('error', () => {})
  outgoing.write('only some of it')
  await arrived
  outgoing.destroy()
  assert.deepEqual(await ended, [false])
})

test('An application that breaks off in the middle of an answer does not look finished', async (t) => {
  const app = await upstream(t, (_, response) => {
    response.write('some of it', () => response.destroy())
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const answer = await fetch(origin)
  await assert.rejects(answer.text())
})

test('An application that answers before it has read an upload is heard', async (t) => {
  const app = await upstream(t, (_, response) => {
    response.writeHead(413, { connection: 'close' }).end('too much')
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const outgoing = request(`${origin}/upload`, { method: 'POST' })
  outgoing.on('error', () => {})
  const answered = once(outgoing, 'response')
  outgoing.write('the beginning')
  const [answer] = await answered
  assert.equal(answer.statusCode, 413)
  outgoing.destroy()
})

test('An answer without a body says nothing of one', async (t) => {
  const app = await upstream(t, (_, response) => {
    response.writeHead(204, { 'content-type': 'text/plain' }).end()
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  const answer = await fetch(origin)
  assert.equal(answer.status, 204)
  assert.equal(answer.headers.get('content-type'), null)
  assert.equal(answer.headers.get('content-length'), null)
})

test('Every method and media type passes, malformed ones and none at all too', async (t) => {
  const app = await upstream(t, async (incoming, response) => {
    let text = ''
    for await (const chunk of incoming) text += chunk
    const type = incoming.headers['content-type'] ?? 'none'
    response.end(`${incoming.method} ${type} ${text}`)
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  for (const [method, type, body] of [
    ['POST', 'application/json', '{ not json'],
    ['POST', 'no such type;;', 'x'],
    ['PATCH', undefined, 'x'],
    ['DELETE', 'text/plain', 'x'],
    ['PROPFIND', 'text/xml', '<a/>'],
    ['OPTIONS', undefined, ''],
  ] as const) {
    const length = { 'content-length': String(body.length) }
    const headers = { ...length, ...(type !== undefined && { 'content-type': type }) }
    const outgoing = request(`${origin}/`, { method, headers })
    outgoing.end(body)
    const [answer] = await once(outgoing, 'response')
    let text = ''
    for await (const chunk of answer) text += chunk
    assert.equal(text, `${method} ${type ?? 'none'} ${body}`)
  }
})

test('Answers without a body pass as they are, redirects and several cookies too', async (t) => {
  const app = await upstream(t, (incoming, response) => {
    const status = Number(incoming.url?.slice(1))
    response.setHeader('x-status', String(status))
    if (status === 302) response.setHeader('location', '/elsewhere?x=1')
    response.setHeader('set-cookie', ['a=1', 'b=2'])
    if (status === 200) response.setHeader('content-length', '5')
    response.writeHead(status).end(incoming.method === 'HEAD' || status !== 200 ? '' : 'hello')
  })
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
    ['GET', 302],
    ['POST', 201],
    ['GET', 503],
  ] as const) {
    const answer = await fetch(`${origin}/${status}`, { method, redirect: 'manual' })
    assert.equal(answer.status, status)
    assert.equal(answer.headers.get('x-status'), String(status))
    assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2'])
    assert.equal(await answer.text(), '')
    if (method === 'HEAD') assert.equal(answer.headers.get('content-length'), '5')
    if (status === 302) assert.equal(answer.headers.get('location'), '/elsewhere?x=1')
  }
  // Not asked again: what an application says is passed on, 503 too.
  assert.equal(app.requests.length, 6)
})

test('A kept connection that the application closes meanwhile costs nobody a request', async (t) => {
  const app = await upstream(t, (_, response) => response.end('ok'))
  const { origin } = await deploy(t, { applications: [{ upstream: app.url, access: 'public' }] })
  for (let round = 0; round < 3; round += 1) {
    assert.equal((await fetch(origin)).status, 200)
    app.server.closeAllConnections()
    assert.equal((await fetch(origin)).status, 200)
  }
})
