import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answer, answerBytes, endlessBlock } from './exchange.ts'

/** A request that came over a socket. */
export interface WireRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Headers
  readonly body: string
}

/** A server on 127.0.0.1 that can be stopped and comes back on the same port. */
export interface LoopbackServer {
  readonly port: number
  start(): Promise<void>
  /** Stops listening and cuts every connection. */
  stop(): Promise<void>
}

/** Listens. Port 0 = any that is free, and that one from then on. */
export async function listen(
  port: number,
  handle: (request: WireRequest) => Promise<Answer>,
): Promise<LoopbackServer> {
  let server: Server | undefined
  let chosen = port

  const start = async (): Promise<void> => {
    if (server) return
    server = createServer((incoming, response) => {
      // Whoever cuts the connection knows that there is no answer.
      response.on('error', () => response.destroy())
      readRequest(incoming)
        .then(handle)
        .then(
          (answer) => writeAnswer(response, answer),
          () => response.destroy(),
        )
    })
    server.listen(chosen, '127.0.0.1')
    await once(server, 'listening')
    chosen = (server.address() as AddressInfo).port
  }
  await start()

  return {
    get port() {
      return chosen
    },
    start,
    stop: async () => {
      const stopping = server
      server = undefined
      if (!stopping) return
      const closed = once(stopping, 'close')
      stopping.close()
      stopping.closeAllConnections()
      await closed
    },
  }
}

async function readRequest(incoming: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const headers = new Headers()
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '')
  }
  return {
    method: incoming.method ?? 'GET',
    target: incoming.url ?? '/',
    headers,
    body: Buffer.concat(chunks).toString(),
  }
}

function writeAnswer(response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return
  if (answer.wire === 'drop') {
    response.destroy()
    return
  }
  const bytes = answerBytes(answer)
  const length = answer.wire === 'cut' ? { 'content-length': String(bytes.length) } : {}
  response.writeHead(answer.status, { ...length, ...answer.headers })
  switch (answer.wire) {
    case 'cut':
      response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy())
      break
    case 'drip':
      drip(response, bytes)
      break
    case 'endless':
      pour(response, bytes)
      break
    default:
      response.end(bytes)
  }
}

/** A byte now and then, for as long as anybody listens. */
function drip(response: ServerResponse, bytes: Uint8Array): void {
  let at = 0
  const next = (): void => {
    response.write(bytes.subarray(at, at + 1))
    at += 1
  }
  response.flushHeaders()
  const timer = setInterval(next, 20).unref()
  response.on('close', () => clearInterval(timer))
}

/** As much as is read, for as long as anybody reads. */
function pour(response: ServerResponse, bytes: Uint8Array): void {
  const block = endlessBlock(bytes)
  const next = (): void => {
    while (!response.destroyed && response.write(block));
  }
  response.on('drain', next)
  next()
}
