import { METHODS } from 'node:http'
import replyFrom from '@fastify/reply-from'
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { GatewayConfiguration } from '../configuration/configuration.ts'
import { originForm } from '../proxy/path.ts'
import { upstreamPool } from '../proxy/upstream-pool.ts'
import { listenerOptions } from './listener-options.ts'
import { tlsFiles } from './tls-files.ts'

/**
 * The public listener. Bodies are not parsed but passed on as they come, whatever the method and
 * the media type.
 */
export function createHttpServer({ listen, limits }: GatewayConfiguration): FastifyInstance {
  const options = listenerOptions(limits)
  const { requestTimeout, keepAliveTimeout } = options
  const server = Fastify({
    ...(listen.tls === undefined
      ? { http: options }
      : {
          https: { ...options, ...tlsFiles(listen.tls) },
        }),
    logger: false,
    requestTimeout,
    keepAliveTimeout,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    // The router's own answers would pass by the guard.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) =>
      request.server.errorHandler(error, request, reply),
    rewriteUrl: ({ url = '/' }) => originForm(url),
  } as object) as FastifyInstance
  server.server.maxConnections = limits.connections
  for (const method of METHODS) {
    if (REFUSED.has(method)) continue
    // Declared as without a body, they come to the handler unread.
    server.addHttpMethod(method, { hasBody: false, overrideExisting: true })
  }
  server.decorateRequest('passing', null)
  server.register(replyFrom, {
    undici: upstreamPool(limits.upstreamSeconds) as object,
    destroyAgent: true,
    disableRequestLogging: true,
  })
  return server
}

/** A tunnel, and what repeats cookies to scripts. */
const REFUSED = new Set(['CONNECT', 'TRACE'])
