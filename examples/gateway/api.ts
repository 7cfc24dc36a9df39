// An API that knows nothing of the gateway: it answers whoever brings an access token of the provider.
import { createServer, type Server } from 'node:http'

/** `GET /coats`, and at `GET /events` news for as long as somebody listens. */
export function createApi(isValid: (accessToken: string) => boolean): Server {
  return createServer(({ url, headers }, response) => {
    const [scheme, accessToken = ''] = (headers.authorization ?? '').split(' ')
    if (scheme !== 'Bearer' || !isValid(accessToken)) {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    } else if (url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const news = setInterval(() => response.write('data: a coat came in\n\n'), 500)
      response.on('close', () => clearInterval(news))
    } else {
      response.writeHead(200, { 'content-type': 'application/json' }).end('["a coat"]')
    }
  })
}
