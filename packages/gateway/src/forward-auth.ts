import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { reasonOf } from './cause-code.ts'
import type { GatewayConfiguration } from './configuration/configuration.ts'
import { applicationOf } from './forward-auth/application.ts'
import { originalOf } from './forward-auth/original.ts'
import { verdictOn } from './forward-auth/verdict.ts'
import type { Application } from './proxy/applications.ts'
import { lenientPath, pathOf } from './proxy/path.ts'
import { NOBODYS, type Refusal, toAnswer } from './server/answer.ts'
import type { GatewayContext } from './server/context.ts'
import { FAULT } from './server/failure.ts'
import { limitLateBodies } from './server/late-bodies.ts'
import { listenerOptions } from './server/listener-options.ts'
import { send } from './server/send.ts'
import { tlsFiles } from './server/tls-files.ts'

/** What is configured of it. */
export type ForwardAuth = Exclude<GatewayConfiguration['forwardAuth'], undefined>

/**
 * Says of an answer that no browser is meant to see it: a browser that does reaches the endpoint
 * itself, as only other proxies should. `coatcheck doctor` looks for it.
 */
export const FOR_PROXIES = 'x-coatcheck-for-proxies'

/**
 * The listener where other proxies ask whether to let a request through. It is not the public one: a
 * proxy that asks there and passes the public on there too would let a page's script ask as well,
 * and the answer holds the identity JWT and maybe an access token. TLS where the public one has it.
 */
export function forwardAuthServer(context: GatewayContext, given: ForwardAuth): Server {
  const { limits, listen } = context.configuration
  const application = applicationOf(context, given.application)
  const options = listenerOptions(limits)
  const listener: RequestListener = (request, response) => {
    answer(context, given.path, application, request, response).catch((error: unknown) => {
      context.logger.error('forward_auth_failed', { reason: reasonOf(error) })
      if (!response.headersSent) void send(context, toAnswer(FAULT, request), response)
    })
  }
  const server =
    listen.tls === undefined
      ? createServer(options, listener)
      : createTlsServer({ ...options, ...tlsFiles(listen.tls) }, listener)
  server.maxConnections = limits.connections
  limitLateBodies(server, () => true, limits.headersSeconds)
  return server
}

async function answer(
  context: GatewayContext,
  path: string,
  application: Application,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refusal = refusalOf(context, path, request)
  if (refusal !== undefined) return send(context, toAnswer(refusal, request), response)
  const original = originalOf(request, path)
  if (!original.handsOver) response.setHeader(FOR_PROXIES, 'yes')
  return send(context, await verdictOn(context, application, request, original), response)
}

function refusalOf(
  { guard, logger, proxies }: GatewayContext,
  path: string,
  request: IncomingMessage,
): Refusal | undefined {
  const refusal = guard.refuse(request, undefined)
  if (refusal !== undefined) return refusal
  if (!isAsked(request, path)) return NOBODYS
  if (proxies.trusts(request)) return undefined
  logger.warn('forward_auth_untrusted', { fix: 'listen.trustedProxies' })
  return NOT_TRUSTED
}

/**
 * The path itself, or, for Envoy, what is asked for below it. A proxy that lets the world reach some
 * paths may read one that leads upwards as one of these.
 */
function isAsked({ url = '/' }: IncomingMessage, path: string): boolean {
  const asked = pathOf(url)
  return asked === path || (asked.startsWith(`${path}/`) && lenientPath(asked) !== undefined)
}

/** What was asked for is believed of nobody else. */
const NOT_TRUSTED: Refusal = {
  status: 403,
  code: 'proxy_not_trusted',
  title: 'Only proxies that the gateway trusts may ask here',
}
