import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request, type Server } from 'node:http'
import type { Socket } from 'node:net'

/** A WebSocket's bare bytes: what a browser and a server exchange is of no interest to a gateway. */
export interface OpenedSocket {
  readonly socket: Socket
  readonly answer: IncomingMessage
}

/** Asks for a WebSocket; an answer that is no upgrade is a rejection with its status. */
export async function openWebSocket(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenedSocket> {
  const outgoing = request(url, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
    agent: false,
  })
  outgoing.end()
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject)
    outgoing.on('upgrade', (answer, socket, head) => {
      socket.on('error', () => {})
      if (head.length > 0) socket.unshift(head)
      resolve({ socket, answer })
    })
    outgoing.on('response', (answer) => {
      answer.resume()
      reject(
        Object.assign(new Error(`answered ${answer.statusCode}`), { status: answer.statusCode }),
      )
    })
  })
}

/** Makes a server accept WebSockets; each emits `socket` with it and the request. */
export function acceptWebSockets(server: Server): void {
  server.on('upgrade', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => {})
    const key = `${incoming.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    if (head.length > 0) socket.unshift(head)
    server.emit('socket', socket, incoming)
  })
}

/** The next bytes of a socket, as text. */
export async function heard(socket: Socket): Promise<string> {
  const [chunk] = await once(socket, 'data')
  return String(chunk)
}
