import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

describe('a TCP proxy', () => {
  it('passes on what each end says, and its end', async (t) => {
    const { dial } = await start(t)
    const line = await dial()
    assert.equal(await line.said('hello'), 'hello')
    line.socket.end()
    await once(line.socket, 'close')
  })

  for (const direction of ['toServer', 'toClient', 'both'] as const) {
    it(`delays what goes ${direction}`, async (t) => {
      const { proxy, dial, direct } = await start(t)
      const line = await dial()
      const order: string[] = []
      proxy.delay(300, direction)
      const slow = line.said('slow').then((answer) => order.push(answer))
      order.push(await direct.said('quick'))
      await slow
      assert.deepEqual(order, ['quick', 'slow'])
    })
  }

  it('lets nothing overtake what is delayed', async (t) => {
    const { proxy, dial, direct, received } = await start(t)
    const line = await dial()
    proxy.delay(100, 'toServer')
    const slow = line.said('slow')
    await direct.said('quick')
    proxy.delay(0)
    line.socket.write('later')
    assert.match(await slow, /^slow/)
    assert.deepEqual(received.join(' ').slice(0, 10), 'quick slow')
  })

  for (const [how, errors] of [
    ['RST', ['ECONNRESET']],
    ['FIN', []],
  ] as const) {
    it(`cuts connections by ${how}, refuses new ones, and takes them again`, async (t) => {
      const { proxy, dial } = await start(t)
      const line = await dial()
      assert.equal(await line.said('hello'), 'hello')
      assert.equal(proxy.connections, 1)
      const codes: unknown[] = []
      line.socket.on('error', (error: NodeJS.ErrnoException) => codes.push(error.code))
      const close = new Promise((resolve) => line.socket.once('close', resolve))
      await proxy.cut(how)
      await close
      assert.deepEqual(codes, errors)
      await assert.rejects(dial(), { code: 'ECONNREFUSED' })
      await proxy.restore()
      assert.equal(await (await dial()).said('again'), 'again')
    })
  }

  it('half-open keeps connections, takes new ones, and lets nothing pass until later', async (t) => {
    const { proxy, dial, direct, received } = await start(t)
    const old = await dial()
    assert.equal(await old.said('hello'), 'hello')
    proxy.halfOpen()
    const late = old.said('late')
    const fresh = (await dial()).said('fresh')
    assert.equal(await direct.said('direct'), 'direct')
    assert.deepEqual(received, ['hello', 'direct'])
    await proxy.restore()
    assert.deepEqual(await Promise.all([late, fresh]), ['late', 'fresh'])
  })

  it('is closed half-open as well', async (t) => {
    const { proxy, dial } = await start(t)
    const line = await dial()
    assert.equal(await line.said('hello'), 'hello')
    proxy.halfOpen()
    const error = once(line.socket, 'error')
    await proxy.close()
    assert.equal((await error)[0].code, 'ECONNRESET')
    await assert.rejects(dial(), { code: 'ECONNREFUSED' })
  })
})

interface Line {
  readonly socket: Socket
  /** Says one thing and answers what comes back. */
  said(text: string): Promise<string>
}

/** A server that repeats everything, a proxy before it, and a line that does without the proxy. */
async function start(t: TestContext): Promise<{
  proxy: TcpProxy
  dial: () => Promise<Line>
  direct: Line
  received: string[]
}> {
  const received: string[] = []
  const echo = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      received.push(`${bytes}`)
      socket.write(bytes)
    })
  })
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const { port } = echo.address() as AddressInfo
  const proxy = await startTcpProxy({ port })
  const lines: Line[] = []
  const dial = async (to: number): Promise<Line> => {
    const socket = connect(to, '127.0.0.1')
    await once(socket, 'connect')
    const line: Line = {
      socket,
      async said(text) {
        socket.write(text)
        const [bytes] = await once(socket, 'data')
        return `${bytes}`
      },
    }
    lines.push(line)
    return line
  }
  t.after(async () => {
    await proxy.close()
    for (const { socket } of lines) socket.destroy()
    echo.close()
  })
  return { proxy, dial: () => dial(proxy.port), direct: await dial(port), received }
}
