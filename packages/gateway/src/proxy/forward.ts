import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyReplyFromHooks } from '@fastify/reply-from'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { reasonOf } from '../cause-code.ts'
import { type Answer, type Asked, toAnswer } from '../server/answer.ts'
import type { GatewayContext } from '../server/context.ts'
import { send } from '../server/send.ts'
import type { Stream } from '../streams/open-streams.ts'
import { admit, find } from './admit.ts'
import type { Application } from './applications.ts'
import { upstreamFailure } from './failure.ts'
import { upstreamPath } from './path.ts'
import type { Heard, Relay } from './relay.ts'
import { requestHeaders, type Told } from './request-headers.ts'
import { responseHeaders } from './response-headers.ts'
import { PASSED, type Passed } from './upstream-pool.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before a request is passed on. */
    passing: Passing | null
  }
}

/** A request on its way to its application, and the answer on its way back. */
interface Passing {
  readonly told: Told
  /** While somebody waits for it, so does the upstream's. */
  readonly answer: ServerResponse
  /** Whether the answer turned out to go on for as long as it is let. */
  lasts: boolean
}

/** Passes requests on to their applications. */
export function forwarder(
  context: GatewayContext,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  const scheme = new URL(context.configuration.origin).protocol.slice(0, -1)
  const hooks = new Map(
    context.applications.all.map((one) => [one, hooksFor(context, one, scheme)] as const),
  )

  function say(reply: FastifyReply, answer: Answer | Response): Promise<void> {
    reply.hijack()
    return send(context, answer, reply.raw)
  }

  return async (request, reply) => {
    const { raw } = request
    const found = find(context, raw)
    if ('status' in found) return say(reply, toAnswer(found, raw))
    if (hasUnexpectedBody(raw)) return say(reply, toAnswer(BODY_OF_GET, raw))
    const admitted = await admit(context, found, raw)
    if ('answer' in admitted) {
      context.metrics.answered(found.configuration.name, admitted.answer.status)
      return say(reply, admitted.answer)
    }
    const { told, session } = admitted
    // The client left while we were asking.
    if (raw.socket.destroyed) return
    const passing: Passing = { told, answer: reply.raw, lasts: false }
    if (session !== undefined) follow(context, session, passing)
    // The session ended while we were asking.
    if (reply.raw.destroyed) return
    request.passing = passing
    if (hasBody(raw)) request.body = context.guard.body(raw)
    reply.from(upstreamPath(raw.url ?? '/', found.stripped, false), hooks.get(found))
  }
}

/** Ends an answer that is under way when its session ends. */
function follow(
  { streams }: GatewayContext,
  session: { readonly handle: string; readonly subject: string },
  passing: Passing,
): void {
  const { answer } = passing
  // What was handed to the socket and not sent yet is dropped with it.
  const stream: Stream = {
    close: () => answer.destroy(),
    lasts: () => passing.lasts,
  }
  answer.on('close', () => streams.remove(session, stream))
  streams.add(session, stream)
}

function hooksFor(
  context: GatewayContext,
  application: Application,
  scheme: string,
): FastifyReplyFromHooks {
  const { guard, isForged, logger, metrics } = context
  const { name } = application.configuration
  const origin = application.upstream.origin

  function fail(request: Unfinished, response: ServerResponse, error: unknown): void {
    logger.warn('upstream_failed', { application: name, reason: reasonOf(error) })
    // What is left of the request would be taken for the next one.
    if (!request.complete) response.setHeader('connection', 'close')
    void send(context, toAnswer(upstreamFailure(error), request), response)
  }

  return {
    getUpstream: () => origin,
    rewriteRequestHeaders({ raw, passing }) {
      if (passing === null) return {}
      const { told, answer } = passing
      const headers = requestHeaders(raw.headers, told, scheme, isForged)
      const passed: Passed = { headers, answer, broken: (error) => fail(raw, answer, error) }
      return { [PASSED]: passed }
    },
    // It is not Fastify that writes them.
    rewriteHeaders: () => ({}),
    onResponse(request, reply, response) {
      const { headers, statusCode, stream } = response as unknown as Heard & { stream: Relay }
      const { passing, raw } = request
      // A status that is none: the client was told already.
      if (passing === null || reply.sent) return stream.destroy()
      reply.hijack()
      metrics.answered(name, statusCode)
      const kept = responseHeaders(headers, statusCode, passing.told.identity !== undefined)
      guard.complete(kept, application)
      // What comes after the answer is the rest of this request.
      if (!raw.complete) kept['connection'] = 'close'
      passing.lasts = String(kept['content-type']).startsWith('text/event-stream')
      // Who waits for events sees that they will come, before the first one does.
      const atOnce = kept['content-length'] === undefined && raw.method !== 'HEAD'
      stream.begin(statusCode, kept, atOnce)
    },
    onError(reply, { error }) {
      const raw = rawOf(reply)
      // Whoever asked has left, and took it back.
      if (raw.destroyed) return
      metrics.answered(name, upstreamFailure(error).status)
      reply.hijack()
      fail(reply.request.raw, raw, error)
    },
    retryDelay: ({ err, req, attempt }) => (mayRepeat(err, req.method, attempt) ? 1 : null),
  }
}

/** A request, of which there may be more to come. */
type Unfinished = Asked & { readonly complete: boolean }

/** A connection that was kept may have been closed by the upstream the moment it was used. */
function mayRepeat(error: unknown, method: string | undefined, attempt: number): boolean {
  const { code } = (error ?? {}) as { code?: unknown }
  return attempt === 0 && code === 'UND_ERR_SOCKET' && (method === 'GET' || method === 'HEAD')
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

/** It means nothing (RFC 9110 section 9.3.1), and servers differ in what they do with it. */
function hasUnexpectedBody(request: IncomingMessage): boolean {
  return (request.method === 'GET' || request.method === 'HEAD') && hasBody(request)
}

const BODY_OF_GET = {
  status: 400,
  code: 'body_unexpected',
  title: 'A request of this kind has no body',
} as const

/** Its types allow for HTTP/2, which nobody speaks here. */
function rawOf({ raw }: { readonly raw: object }): ServerResponse {
  return raw as ServerResponse
}
