import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts } from './ports.ts'

/** A network between a client and a server, and what may befall it. */
export interface TcpProxy {
  readonly port: number
  /** How many connections of clients are open. */
  readonly connections: number
  /** From now on whatever passes takes so long each way, or in one direction only. Nothing overtakes. */
  delay(milliseconds: number, direction?: Direction): void
  /** Ends every connection, by default with a reset, and refuses new ones. */
  cut(how?: 'RST' | 'FIN'): Promise<void>
  /** Nothing passes, not even an end. Connections stay open and new ones are accepted. */
  halfOpen(): void
  /** All is well again: no delay, new connections, and what was held back arrives. */
  restore(): Promise<void>
  close(): Promise<void>
}

/** The way a delay applies to. */
export type Direction = 'toServer' | 'toClient' | 'both'

/** Forwards a port of its own to a port of 127.0.0.1. */
export async function startTcpProxy(target: { readonly port: number }): Promise<TcpProxy> {
  const [port = 0] = await freePorts(1)
  const delays = { toServer: 0, toClient: 0 }
  const sockets = new Set<Socket>()
  const open = Promise.withResolvers<void>()
  open.resolve()
  let gate = open

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const there = { host: '127.0.0.1', port: target.port }
    const served = connect({ ...there, allowHalfOpen: true, noDelay: true })
    for (const socket of [client, served]) {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    }
    const passed = (): Promise<void> => gate.promise
    forward(client, served, () => delays.toServer, passed)
    forward(served, client, () => delays.toClient, passed)
  })
  const listen = async (): Promise<void> => {
    if (server.listening) return
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const cut = async (how: 'RST' | 'FIN' = 'RST'): Promise<void> => {
    const closed = server.listening ? once(server, 'close') : undefined
    server.close()
    for (const socket of sockets) reset(socket, how)
    await closed
  }
  await listen()
  return {
    port,
    get connections() {
      return [...sockets].filter(({ localPort }) => localPort === port).length
    },
    delay(milliseconds, direction = 'both') {
      if (direction !== 'toClient') delays.toServer = milliseconds
      if (direction !== 'toServer') delays.toClient = milliseconds
    },
    cut,
    halfOpen() {
      if (gate === open) gate = Promise.withResolvers()
    },
    async restore() {
      delays.toServer = 0
      delays.toClient = 0
      gate.resolve()
      gate = open
      await listen()
    },
    close: () => cut(),
  }
}

/** Passes on what one end says, its end, and its reset, in the order in which they came. */
function forward(from: Socket, to: Socket, delay: () => number, passed: () => Promise<void>): void {
  let last = Promise.resolve()
  const pass = (deliver: () => void): void => {
    const due = performance.now() + delay()
    last = last.then(async () => {
      const early = due - performance.now()
      if (early > 0) await pause(early, undefined, { ref: false })
      await passed()
      deliver()
    })
  }
  from.on('data', (bytes) => pass(() => to.write(bytes)))
  from.on('end', () => pass(() => to.end()))
  from.on('error', () => pass(() => reset(to, 'RST')))
}

function reset(socket: Socket, how: 'RST' | 'FIN'): void {
  // One that is not connected yet would wait for that first. One that is just saying goodbye cannot
  // be reset (libuv refuses), and Node would then never close it.
  if (how === 'RST' && !socket.connecting && !socket.writableEnded) socket.resetAndDestroy()
  else socket.destroy()
}
