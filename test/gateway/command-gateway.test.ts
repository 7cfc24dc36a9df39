import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { deploy } from './command-line.ts'
import { acceptWebSockets, heard, openWebSocket } from './web-socket.ts'

it('a gateway that was killed leaves its socket behind, and the next one listens there', async (t) => {
  const at = await deploy()
  t.after(at.close)
  const socketPath = join(at.folder, 'tokens')
  at.configure(`tokenEndpoint: "unix:${socketPath}"`)
  const killed = await at.gateway()
  killed.signal('SIGKILL')
  await killed.ended
  assert.ok(existsSync(socketPath))

  const next = await at.gateway()
  const outgoing = request({ socketPath, path: '/token' })
  outgoing.end()
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  assert.equal(answer.resume().statusCode, 401)
  next.signal('SIGTERM')
  await next.ended
  assert.equal(existsSync(socketPath), false)
})

it('an application with a certificate of one’s own is reached over TLS, by requests and by WebSockets', async (t) => {
  const pem = (name: string): string =>
    fileURLToPath(new URL(`../support/tls/localhost.${name}.pem`, import.meta.url))
  const tls = { cert: readFileSync(pem('crt')), key: readFileSync(pem('key')) }
  const application = createServer(tls, (_, response) => response.end('over TLS'))
  acceptWebSockets(application)
  application.on('socket', (socket) => socket.pipe(socket))
  await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    application.closeAllConnections()
    application.close()
  })
  const at = await deploy()
  t.after(at.close)
  const { port } = application.address() as AddressInfo
  at.replace(
    /^upstream: .*$/m,
    `applications: [{ name: app, upstream: "https://localhost:${port}", access: public }]`,
  )
  const gateway = await at.gateway({ NODE_EXTRA_CA_CERTS: pem('crt') })
  assert.equal(await (await fetch(at.origin)).text(), 'over TLS')
  const { socket } = await openWebSocket(at.origin)
  socket.write('a coat')
  assert.equal(await heard(socket), 'a coat')
  const closed = once(socket, 'close')
  gateway.signal('SIGTERM')
  await closed
  await gateway.ended
})

it('a reload that cannot have its port is refused by its name, and nobody is refused meanwhile', async (t) => {
  const at = await deploy()
  t.after(at.close)
  const taken = createTcpServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.after(() => void taken.close())
  const { port } = taken.address() as AddressInfo
  const gateway = await at.gateway()
  at.configure(`operations: ${port}`)
  gateway.signal('SIGHUP')
  await gateway.logged('configuration_refused')
  assert.match(
    gateway.log(),
    new RegExp(`port ${port} \\(EADDRINUSE\\).*write another in \`operations\``),
  )
  // It was not even closed for a moment.
  assert.equal(gateway.log().split('"message":"listening"').length, 2)
  assert.equal((await fetch(`${at.origin}/healthz`)).status, 200)

  gateway.signal('SIGTERM')
  await gateway.ended
  const { code, err } = await at.coatcheck('gateway', '--config', at.file)
  assert.equal(code, 1)
  assert.match(err, /EADDRINUSE.*write another in `operations`/)
})
