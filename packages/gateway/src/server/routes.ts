import type { IncomingMessage } from 'node:http'
import { nodeAuth } from 'coatcheck/adapters/node'
import type { FastifyInstance } from 'fastify'
import { forwardAuth } from '../forward-auth.ts'
import { type Application, createApplications } from '../proxy/applications.ts'
import { reasonOf } from '../proxy/failure.ts'
import { forwarder } from '../proxy/forward.ts'
import { pathOf } from '../proxy/path.ts'
import { upgrader } from '../proxy/upgrade.ts'
import { type Answer, toAnswer } from './answer.ts'
import type { GatewayContext } from './context.ts'
import { FAULT } from './failure.ts'
import type { Operations } from './operations.ts'
import { addOwnHeaders, send } from './send.ts'

/** Who answers what on the public listener: the library, the gateway itself, or an application. */
export function mountRoutes(
  server: FastifyInstance,
  context: GatewayContext,
  operations: Operations | undefined,
): void {
  const { auth, guard, keys, logger } = context
  const ours = nodeAuth(auth)
  const forward = forwarder(context)
  const asked = forwardAuthOf(context)

  /** What the gateway itself answers to, apart from the library's routes. */
  function own(path: string, request: IncomingMessage): Promise<Answer | Response> | undefined {
    if (path === '/.well-known/jwks.json') return Promise.resolve(jwksAnswer(keys.jwks))
    if (asked?.owns(path)) return asked.answer(request)
    return operations?.answer(path, false)
  }

  server.all('/*', async (request, reply) => {
    const { raw } = request
    const path = pathOf(raw.url ?? '/')
    const isOurs = auth.owns(path)
    if (isOurs || OWN.test(path) || asked?.owns(path)) {
      const refusal = guard.refuse(raw, undefined)
      const answer = refusal === undefined ? undefined : toAnswer(refusal, raw)
      const given = answer ?? (isOurs ? undefined : await own(path, raw))
      if (isOurs || given !== undefined) {
        reply.hijack()
        if (given !== undefined) return send(context, given, reply.raw)
        addOwnHeaders(context, reply.raw)
        return ours(raw, reply.raw)
      }
    }
    return forward(request, reply)
  })

  server.setErrorHandler((error, request, reply) => {
    if (isUnreadable(error)) return forward(request, reply)
    logger.error('request_failed', { reason: reasonOf(error) })
    reply.hijack()
    return send(context, toAnswer(FAULT, request.raw), reply.raw)
  })
  server.server.on(
    'upgrade',
    upgrader(context, (request, response) => server.routing(request, response)),
  )
}

/** Paths that may be the gateway's own: nothing else is looked at twice. */
const OWN = /^\/(?:\.well-known\/jwks\.json|healthz|readyz|metrics)$/

/** The router makes nothing of the path, and so does whoever looks for its application. */
function isUnreadable(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'FST_ERR_BAD_URL'
}

function forwardAuthOf(context: GatewayContext): ReturnType<typeof forwardAuth> | undefined {
  const { forwardAuth: given, origin } = context.configuration
  if (given === undefined) return undefined
  const known = context.applications.all.find(
    ({ configuration }) => configuration.name === given.application,
  )
  return forwardAuth(context, given.path, known ?? onlyAsked(origin, given.application))
}

/** What is behind another proxy need not be behind this one. */
function onlyAsked(origin: string, name: string): Application {
  const { all } = createApplications({
    origin,
    applications: [
      {
        name,
        upstream: origin,
        host: undefined,
        path: '/',
        stripPath: false,
        access: 'signed_in',
        accessToken: undefined,
        audience: name,
        backchannelLogoutUri: undefined,
      },
    ],
  })
  const [application] = all
  if (application === undefined) throw new TypeError('forwardAuth.application: write its name.')
  return application
}

function jwksAnswer(jwks: string): Answer {
  return {
    status: 200,
    headers: {
      'content-type': 'application/jwk-set+json',
      'content-length': String(Buffer.byteLength(jwks)),
      'cache-control': 'public, max-age=300',
    },
    body: jwks,
  }
}
