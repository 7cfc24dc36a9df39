import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../servers/ports.ts'
import { deploy, upstream } from './under-test.ts'

const certificate = fileURLToPath(new URL('../support/tls/localhost.crt.pem', import.meta.url))
const key = fileURLToPath(new URL('../support/tls/localhost.key.pem', import.meta.url))

test('With a certificate it speaks TLS itself, and says so to applications', async (t) => {
  const app = await upstream(t)
  const [port = 0] = await freePorts(1)
  const { gateway } = await deploy(t, {
    applications: [{ upstream: app.url, access: 'public' }],
    over: {
      origin: `https://localhost:${port}`,
      listen: { host: '127.0.0.1', port, tls: { certificate, key }, trustedProxies: [] },
    },
  })
  assert.equal(gateway.url, `https://127.0.0.1:${port}`)
  const ca = readFileSync(certificate)
  const outgoing = request({ host: '127.0.0.1', port, servername: 'localhost', path: '/x', ca })
  outgoing.end()
  const [answer] = await once(outgoing, 'response')
  let text = ''
  for await (const chunk of answer) text += chunk
  const { headers } = JSON.parse(text)
  assert.equal(headers['x-forwarded-proto'], 'https')
  assert.equal(headers['x-forwarded-host'], `localhost:${port}`)
  outgoing.destroy()
})

test('Who connects and takes too long to begin with TLS is hung up on', async (t) => {
  const [port = 0] = await freePorts(1)
  await deploy(t, {
    applications: [{ upstream: 'http://127.0.0.1:9', access: 'public' }],
    limits: { headersSeconds: 0.4 },
    over: {
      origin: `https://localhost:${port}`,
      listen: { host: '127.0.0.1', port, tls: { certificate, key }, trustedProxies: [] },
    },
  })
  for (const bytes of ['', '1603010200']) {
    const socket = connect(port, '127.0.0.1')
    socket.write(Buffer.from(bytes, 'hex'))
    socket.resume()
    await once(socket, 'close')
  }
})

test('An application whose certificate nobody vouches for is not reached', async (t) => {
  let requests = 0
  const server = createServer(
    { cert: readFileSync(certificate), key: readFileSync(key) },
    (_, response) => {
      requests += 1
      response.end()
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { origin } = await deploy(t, {
    applications: [{ upstream: `https://localhost:${port}`, access: 'public' }],
  })
  assert.equal((await fetch(origin)).status, 502)
  assert.equal(requests, 0)
})

test('Who takes too long over the headers of a request is cut off soon after the limit', async (t) => {
  const app = await upstream(t)
  const { origin } = await deploy(t, {
    applications: [{ upstream: app.url, access: 'public' }],
    limits: { headersSeconds: 0.4, requestSeconds: 0.2 },
  })
  const socket = connect(Number(new URL(origin).port), '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  let text = ''
  for await (const chunk of socket) text += chunk
  assert.match(text, /^HTTP\/1\.1 408 /)
  assert.equal(app.requests.length, 0)
})
