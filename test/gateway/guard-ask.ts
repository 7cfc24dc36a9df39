import { type IncomingHttpHeaders, type RequestOptions, request as send } from 'node:http'
import { connect } from 'node:net'

/** An answer as it came. */
export interface Answered {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Asks with these headers and no others: `fetch` adds some of those that browsers tell the truth by. */
export function ask(
  url: string,
  options: RequestOptions = {},
  body: readonly string[] = [],
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = send(url, options, async (response) => {
      const parts: Buffer[] = []
      for await (const part of response) parts.push(part)
      const { statusCode: status, headers } = response
      resolve({ status, headers, text: Buffer.concat(parts).toString() })
    })
    request.once('error', reject)
    for (const part of body) request.write(part)
    request.end()
  })
}

/** Sends these bytes, and answers what comes back until the other side hangs up. */
export function askRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const socket = connect(Number(port), hostname, () => socket.write(text))
    socket.on('data', (part) => parts.push(part))
    socket.once('error', reject)
    socket.once('close', () => resolve(Buffer.concat(parts).toString()))
  })
}
