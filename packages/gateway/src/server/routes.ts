import { nodeAuth } from 'coatcheck/adapters/node'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { reasonOf } from '../cause-code.ts'
import { jwksAnswer } from '../identity/jwks-answer.ts'
import { OWN_PATHS } from '../own-paths.ts'
import { forwarder } from '../proxy/forward.ts'
import { pathOf } from '../proxy/path.ts'
import { upgrader } from '../proxy/upgrade.ts'
import { type Answer, toAnswer } from './answer.ts'
import type { GatewayContext } from './context.ts'
import { FAULT } from './failure.ts'
import type { Operations } from './operations.ts'
import { addOwnHeaders, send } from './send.ts'
import { signInAtOrigin } from './sign-in-at-origin.ts'

/** Who answers what on the public listener: the library, the gateway itself, or an application. */
export function mountRoutes(
  server: FastifyInstance,
  context: GatewayContext,
  operations: Operations | undefined,
): void {
  const { auth, guard, keys, logger } = context
  const ours = nodeAuth(auth)
  const forward = forwarder(context)

  /** What the gateway itself answers to, apart from the library's routes. */
  function own(path: string): Promise<Answer> | undefined {
    if (path === OWN_PATHS.jwks) return Promise.resolve(jwksAnswer(keys))
    return operations?.answer(path, false)
  }

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { raw } = request
    const path = pathOf(raw.url ?? '/')
    const isOurs = auth.owns(path)
    if (isOurs || OWN.has(path)) {
      const refusal = guard.refuse(raw, undefined)
      const refused = refusal === undefined ? undefined : toAnswer(refusal, raw)
      const given = refused ?? (isOurs ? signInAtOrigin(context, raw, path) : await own(path))
      if (isOurs || given !== undefined) {
        reply.hijack()
        if (given !== undefined) return send(context, given, reply.raw)
        addOwnHeaders(context, reply.raw)
        await ours(raw, reply.raw)
        return
      }
    }
    return forward(request, reply)
  }

  server.all('/*', (request, reply) => settle(reply, answer(request, reply)))

  server.setErrorHandler((error, request, reply) => {
    if (isUnreadable(error)) return settle(reply, forward(request, reply))
    logger.error('request_failed', { reason: reasonOf(error) })
    reply.hijack()
    return send(context, toAnswer(FAULT, request.raw), reply.raw)
  })
  server.server.on(
    'upgrade',
    upgrader(context, (request, response) => server.routing(request, response)),
  )
}

/** Fastify gets no promise: to settle it, it would watch the answer from beginning to end. */
function settle(reply: FastifyReply, answered: Promise<void>): void {
  answered.catch((error: unknown) => {
    if (!reply.sent) reply.send(error)
  })
}

/** Paths that may be the gateway's own: nothing else is looked at twice. */
const OWN: ReadonlySet<string> = new Set(Object.values(OWN_PATHS))

/** The router makes nothing of the path, and so does whoever looks for its application. */
function isUnreadable(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'FST_ERR_BAD_URL'
}
