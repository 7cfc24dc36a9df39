import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { originForm, pathOf } from '../proxy/path.ts'

/**
 * Hangs up on who takes longer than this for a body that no application waits for: one the gateway
 * reads itself, or one of a request that was answered already. An upload to an application may take
 * its time, but strangers who send a byte now and then would fill the connections by requests that
 * were refused long ago.
 */
export function limitLateBodies(
  server: Server,
  readsItself: (path: string) => boolean,
  seconds: number,
): void {
  server.on('request', (request, response) => {
    if (request.complete || !hasBody(request)) return
    let timer: NodeJS.Timeout | undefined
    const hurry = (): void => {
      if (request.complete || timer !== undefined) return
      timer = setTimeout(() => hangUp(server, request, response), seconds * 1000)
      timer.unref()
    }
    for (const end of ['end', 'close']) request.once(end, () => clearTimeout(timer))
    response.once('finish', hurry)
    if (readsItself(pathOf(originForm(request.url ?? '/')))) hurry()
  })
}

/** 408 as Node gives it to whoever is slow; who has an answer already gets no second one. */
function hangUp(server: Server, request: IncomingMessage, response: ServerResponse): void {
  if (request.complete) return
  if (response.headersSent) request.socket.destroy()
  else server.emit('clientError', new BodyTimeout(), request.socket)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || headers['content-length'] !== undefined
}

class BodyTimeout extends Error {
  readonly code = 'ERR_HTTP_REQUEST_TIMEOUT'
}
