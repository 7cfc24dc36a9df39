import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Session } from 'coatcheck'
import type { GatewayContext } from '../server/context.ts'
import type { Stream } from '../streams/open-streams.ts'
import { withoutSetCookiesOfOurs } from './cookies.ts'
import { hangUp } from './hang-up.ts'
import { upstreamPath } from './path.ts'
import { requestHeaders, type Told } from './request-headers.ts'
import { responseHeaders } from './response-headers.ts'

/** A WebSocket that is to be opened. */
export interface TunnelRequest {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What came after the request already. */
  readonly head: Buffer
  readonly told: Told
  readonly session: Session | undefined
  readonly scheme: string
}

/**
 * Asks the upstream for a WebSocket and passes bytes in both directions until one side ends, or the
 * session does: then both sockets go at once, with whatever waits in them. Resolves with the
 * upstream's status; rejects where there is none.
 */
export function openTunnel(
  { configuration, guard, isForged, sockets, streams }: GatewayContext,
  { request, socket, head, told, session, scheme }: TunnelRequest,
): Promise<number> {
  const { upstream, stripped } = told.application
  const send = upstream.protocol === 'https:' ? httpsRequest : httpRequest
  const outgoing = send(upstream, {
    path: upstreamPath(request.url ?? '/', stripped, true),
    headers: [
      ...requestHeaders(request.headers, told, scheme, isForged),
      ...['connection', 'Upgrade', 'upgrade', 'websocket'],
    ] as string[],
    agent: false,
    timeout: configuration.limits.upstreamSeconds * 1000,
  })
  const stream: Stream = {
    close() {
      socket.destroy()
      outgoing.destroy()
    },
    lasts: () => true,
  }
  sockets.add(stream)
  socket.once('close', () => {
    sockets.delete(stream)
    if (session !== undefined) streams.remove(session, stream)
    outgoing.destroy()
  })
  if (session !== undefined) streams.add(session, stream)

  return new Promise((resolve, reject) => {
    outgoing.on('error', (error) => reject(error))
    outgoing.once('timeout', () => outgoing.destroy(new UpstreamTimeout()))
    outgoing.once('upgrade', (answer, upstreamSocket: Socket, upstreamHead: Buffer) => {
      resolve(answer.statusCode ?? 101)
      if (socket.destroyed) return upstreamSocket.destroy()
      outgoing.setTimeout(0)
      upstreamSocket.setTimeout(0)
      upstreamSocket.setNoDelay(true)
      socket.write(headOf(answer))
      join(socket, upstreamSocket, head, upstreamHead)
    })
    outgoing.once('response', (answer) => {
      resolve(answer.statusCode ?? 502)
      const headers = responseHeaders(
        answer.headers,
        answer.statusCode,
        told.identity !== undefined,
      )
      guard.complete(headers, told.application)
      socket.write(refusalHeadOf(answer, headers))
      answer.on('error', () => socket.destroy())
      answer.pipe(socket)
      socket.once('finish', () => hangUp(socket))
    })
    outgoing.end()
  })
}

/** Passes bytes both ways; when one side is gone, so is the other. */
function join(socket: Duplex, upstream: Socket, head: Buffer, upstreamHead: Buffer): void {
  for (const [one, other] of [
    [socket, upstream],
    [upstream, socket],
  ] as const) {
    one.once('close', () => other.destroy())
    one.on('error', () => other.destroy())
    // A WebSocket has no half: once all that one side said is through, nobody waits for more.
    other.once('finish', () => one.destroy())
  }
  if (upstreamHead.length > 0) socket.write(upstreamHead)
  if (head.length > 0) upstream.write(head)
  upstream.pipe(socket)
  socket.pipe(upstream)
}

/** Status line and headers, as the upstream wrote them, but for cookies of ours. */
function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  let text = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const value = rawHeaders[at + 1] ?? ''
    const lower = name.toLowerCase()
    if (lower === 'set-cookie' && withoutSetCookiesOfOurs(value).length === 0) continue
    text += `${name}: ${value}\r\n`
  }
  return `${text}\r\n`
}

/** The same for an answer that opens nothing: the last one on its connection. */
function refusalHeadOf(
  { statusCode, statusMessage }: IncomingMessage,
  headers: Readonly<Record<string, string | string[]>>,
): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}\r\n`),
  )
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}connection: close\r\n\r\n`
}

/** The upstream did not answer the handshake in time. */
class UpstreamTimeout extends Error {
  readonly code = 'ETIMEDOUT'
}
