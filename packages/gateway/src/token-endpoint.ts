import { createServer, type IncomingMessage, type Server } from 'node:http'
import { ProviderError, SignInRequired } from 'coatcheck'
import { reasonOf } from './cause-code.ts'
import { jwksAnswer } from './identity/jwks-answer.ts'
import { OWN_PATHS } from './own-paths.ts'
import { type Answer, jsonAnswer, type Refusal } from './server/answer.ts'
import type { GatewayContext } from './server/context.ts'
import { authFailure } from './server/failure.ts'
import { write } from './server/send.ts'
import { wantedOf } from './token-endpoint/wanted.ts'

/**
 * The listener where applications on this machine ask for access tokens of the user whose request
 * they are answering: `GET /token?resource=…&scope=…`, with the identity JWT that came with the
 * request as bearer token. Never hands out a refresh token.
 */
export function tokenEndpoint(context: GatewayContext): Server {
  const { configuration, logger } = context
  const options = { maxHeaderSize: configuration.limits.headerBytes }
  return createServer(options, (request, response) => {
    answer(context, request).then(
      (given) => write(given, response),
      (error: unknown) => {
        logger.error('token_endpoint_failed', { reason: reasonOf(error) })
        write(jsonAnswer(500, { error: 'server_error' }), response)
      },
    )
  })
}

async function answer(context: GatewayContext, request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://token-endpoint')
  if (pathname === OWN_PATHS.jwks) return jwksAnswer(context.keys)
  if (pathname !== '/token') return jsonAnswer(404, { error: 'not_found' })
  if (request.method !== 'GET') return jsonAnswer(405, { error: 'method_not_allowed' })
  // Node takes the first; who put the other there may mean that one.
  if ((request.headersDistinct['authorization']?.length ?? 0) > 1) {
    return invalid('More than one Authorization header')
  }
  const jwt = /^bearer ([\w.-]+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const claims = jwt === undefined ? undefined : context.identity.read(jwt)
  if (claims === undefined || !isForOne(context, claims.audience)) {
    return refused(401, 'invalid_token')
  }
  const wanted = wantedOf(searchParams)
  if (typeof wanted === 'string') return invalid(wanted)
  try {
    const token = await context.auth.accessToken(sessionOf(context, claims), wanted)
    return jsonAnswer(200, {
      access_token: token.value,
      token_type: token.tokenType,
      expires_in: Math.max(0, Math.floor((token.expiresAt - Date.now()) / 1000)),
      ...(token.scope !== undefined && { scope: token.scope }),
    })
  } catch (error) {
    return refusalOf(context, error)
  }
}

/** One behind another proxy need not be among the applications: its name is its audience then. */
function isForOne({ applications, configuration }: GatewayContext, audience: string): boolean {
  if (audience === configuration.forwardAuth?.application) return true
  return applications.all.some((one) => one.configuration.audience === audience)
}

function refusalOf({ logger }: GatewayContext, error: unknown): Answer {
  const { status, code, headers } = reasonToRefuse(error)
  logger.debug('token_refused', { reason: code })
  return refused(status, code, headers)
}

function reasonToRefuse(error: unknown): Pick<Refusal, 'status' | 'code' | 'headers'> {
  if (error instanceof SignInRequired) return { status: 401, code: 'sign_in_required' }
  // A resource that is no URI.
  if (error instanceof TypeError) return { status: 400, code: 'invalid_target' }
  if (error instanceof ProviderError && error.code === 'provider_refused') {
    const { error: said = '' } = error
    if (ASKERS.has(said)) return { status: 400, code: said }
  }
  const failure = authFailure(error)
  if (failure === undefined) throw error
  return failure
}

/** What a provider says of what was asked for, and not of us (RFC 6749 section 5.2, RFC 8707). */
const ASKERS = new Set(['invalid_scope', 'invalid_target'])

/** What is known of the session besides its handle comes from the store. */
function sessionOf(
  { configuration }: GatewayContext,
  { handle, subject }: { readonly handle: string; readonly subject: string },
): Parameters<GatewayContext['auth']['accessToken']>[0] {
  const { issuer } = configuration.provider
  return { handle, subject, issuer, claims: {}, establishedAt: 0, expiresAt: 0 }
}

function invalid(error_description: string): Answer {
  return jsonAnswer(400, { error: 'invalid_request', error_description })
}

/** Who has no token to show is told how to (RFC 6750 section 3). */
function refused(status: number, error: string, headers: Refusal['headers'] = {}): Answer {
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  return jsonAnswer(status, { error }, { ...challenge, ...headers })
}
