import { Agent, request as forward, type RequestListener } from 'node:http'

/**
 * A load balancer of the simplest kind: each request goes to the next process, with no stickiness,
 * so that whatever works here works with any. `/process/2/…` asks process 2 for `/…`.
 */
export function balancer(ports: readonly number[]): RequestListener {
  const agent = new Agent({ keepAlive: true })
  let turn = 0

  return (incoming, outgoing) => {
    const direct = /^\/process\/(\d+)(\/.*)$/.exec(incoming.url ?? '')
    const port = direct === null ? ports[turn++ % ports.length] : ports[Number(direct[1]) - 1]
    if (port === undefined) {
      outgoing.writeHead(404).end('There is no such process.\n')
      return
    }
    const onward = forward({
      agent,
      host: '127.0.0.1',
      port,
      method: incoming.method,
      path: direct?.[2] ?? incoming.url,
      headers: incoming.rawHeaders,
    })
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(outgoing)
    })
    onward.on('error', () => {
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(502).end('That process does not answer.\n')
    })
    outgoing.on('close', () => onward.destroy())
    incoming.pipe(onward)
  }
}
