import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { reasonOf } from '../cause-code.ts'
import { type Refusal, toAnswer } from '../server/answer.ts'
import type { GatewayContext } from '../server/context.ts'
import { FAULT } from '../server/failure.ts'
import { send } from '../server/send.ts'
import { admit, find } from './admit.ts'
import { upstreamFailure } from './failure.ts'
import { hangUp } from './hang-up.ts'
import { originForm, pathOf } from './path.ts'
import { openTunnel } from './tunnel.ts'

/** Answers requests that want another protocol: WebSockets go on, all else is served as HTTP. */
export function upgrader(
  context: GatewayContext,
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const { auth, logger } = context
  const scheme = new URL(context.configuration.origin).protocol.slice(0, -1)

  async function refuse(request: IncomingMessage, socket: Duplex, why: Refusal): Promise<void> {
    if (socket.destroyed) return
    await send(context, toAnswer(why, request), responseOn(request, socket))
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (hasBody(request)) return refuse(request, socket, UPGRADE_WITH_BODY)
    const found = find(context, request)
    if ('status' in found) return refuse(request, socket, found)
    const { name } = found.configuration
    const admitted = await admit(context, found, request)
    // The client left while we were asking.
    if (socket.destroyed) return
    if ('answer' in admitted) {
      // Nobody follows a redirect here.
      const { status } = admitted.answer
      context.metrics.answered(name, status === 303 ? 401 : status)
      if (admitted.answer instanceof Response) return refuse(request, socket, SIGN_IN)
      return send(context, admitted.answer, responseOn(request, socket))
    }
    try {
      const status = await openTunnel(context, { request, socket, head, ...admitted, scheme })
      context.metrics.answered(name, status)
    } catch (error) {
      const failure = upstreamFailure(error)
      logger.warn('upstream_failed', { application: name, reason: reasonOf(error) })
      context.metrics.answered(name, failure.status)
      await refuse(request, socket, failure)
    }
  }

  return (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    request.url = originForm(request.url ?? '/')
    const isHttp = auth.owns(pathOf(request.url)) || !isWebSocket(request)
    // A server may ignore the wish (RFC 9110 section 7.8): Java's client, for one, offers `h2c` with
    // every request. Node has stopped reading by then, so it has to be one without a body.
    if (isHttp && !hasBody(request)) return serve(request, responseOn(request, socket))
    upgrade(request, socket, head).catch((error: unknown) => {
      logger.error('request_failed', { reason: reasonOf(error) })
      void refuse(request, socket, FAULT)
    })
  }
}

function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.trim().toLowerCase() === 'websocket'
}

/** An answer on a socket that is no longer HTTP's: the last thing that is said there. */
function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket as Socket)
  response.once('finish', () => hangUp(socket))
  return response
}

/** Nobody reads it as one: it would be taken for the first bytes of the other protocol. */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

const SIGN_IN = {
  status: 401,
  code: 'sign_in_required',
  title: 'Sign in to continue',
} as const

const UPGRADE_WITH_BODY = {
  status: 400,
  code: 'upgrade_refused',
  title: 'A request with a body cannot change the protocol',
} as const
