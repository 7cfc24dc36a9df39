import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'

/**
 * `fetch` for servers on this machine: `*.localhost` reaches 127.0.0.1 as it does in browsers,
 * which neither Node nor glibc does by itself. Redirects are never followed.
 */
export async function loopbackFetch(
  input: string | URL,
  init: RequestInit = {},
  resolveName: (hostname: string) => string | undefined = () => undefined,
): Promise<Response> {
  const url = new URL(input)
  const request = new Request(url, { ...init, signal: null, redirect: 'manual' })
  const body = Buffer.from(await request.arrayBuffer())
  const headers: Record<string, string> = Object.fromEntries(request.headers)
  if (body.length > 0) headers['content-length'] = String(body.length)
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const outgoing = send(
      {
        host: resolveName(url.hostname) ?? addressOf(url.hostname),
        servername: url.hostname,
        port: url.port,
        path: url.pathname + url.search,
        method: request.method,
        headers: { ...headers, host: url.host },
        agent: false,
        ...(init.signal ? { signal: init.signal } : {}),
      },
      resolve,
    )
    outgoing.on('error', (cause) => {
      reject(init.signal?.aborted ? init.signal.reason : new TypeError('fetch failed', { cause }))
    })
    outgoing.end(body)
  })
  return responseOf(incoming)
}

/** The address to connect to for a host name. */
function addressOf(hostname: string): string {
  const name = hostname.replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || name.endsWith('.localhost') ? '127.0.0.1' : name
}

function responseOf(incoming: IncomingMessage): Response {
  const headers = new Headers()
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? '', incoming.rawHeaders[at + 1] ?? '')
  }
  const status = incoming.statusCode ?? 502
  const empty = [204, 205, 304].includes(status)
  if (empty) incoming.resume()
  const body = empty ? null : (Readable.toWeb(incoming) as unknown as BodyInit)
  return new Response(body, { status, headers })
}
