import { createServer, type Server } from 'node:http'

/** An application: `/news` is a stream of events without end, anything else a short answer. */
export function createNewsServer(): Server {
  return createServer((request, response) => {
    if (request.url !== '/news') return void response.end(request.headers['x-forwarded-user'])
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => response.write('data: news\n\n'), 1_000)
    response.write('data: news\n\n')
    response.once('close', () => clearInterval(timer))
  })
}
