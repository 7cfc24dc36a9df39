import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'

/** One request, exactly as it goes over the wire: `fetch` would tidy up path and headers. */
export interface Ask {
  readonly method?: string
  /** The request target, sent as it is. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly agent?: Agent
}

/** The whole answer. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  /** Whether it came over a connection that an earlier request had used. */
  readonly sameConnection: boolean
}

/** A form's media type, the way providers write it. */
export const form = { 'content-type': 'application/x-www-form-urlencoded' }

/** Sends a request and reads the answer to its end. */
export async function ask(url: string, { body, ...head }: Ask): Promise<Answer> {
  const outgoing = begin(url, head)
  outgoing.end(body)
  return answerOf(outgoing)
}

/** Sends the head of a request; the body is the caller's. */
export function begin(url: string, { method = 'GET', path, headers, agent }: Ask): ClientRequest {
  const { hostname, port } = new URL(url)
  return request({ hostname, port, method, path, headers, agent: agent ?? false })
}

/** Goes away without waiting for the answer. */
export async function leave(outgoing: ClientRequest): Promise<void> {
  await new Promise<void>((resolve) => {
    outgoing.on('error', () => undefined) // Our own "socket hang up".
    outgoing.on('close', () => resolve())
    outgoing.destroy()
  })
}

/** The answer to a request, even while its body is not sent completely. */
export async function answerOf(outgoing: ClientRequest): Promise<Answer> {
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve)
    outgoing.on('error', reject)
  })
  let text = ''
  for await (const chunk of incoming.setEncoding('utf8')) text += chunk
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    text,
    sameConnection: outgoing.reusedSocket,
  }
}
