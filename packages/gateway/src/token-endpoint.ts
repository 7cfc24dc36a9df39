import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { ProviderError, SignInRequired } from 'coatcheck'
import { reasonOf } from './cause-code.ts'
import type { GatewayContext } from './server/context.ts'
import { authFailure } from './server/failure.ts'
import { wantedOf } from './token-endpoint/wanted.ts'

/**
 * The listener where applications on this machine ask for access tokens of the user whose request
 * they are answering: `GET /token?resource=…&scope=…`, with the identity JWT that came with the
 * request as bearer token. Never hands out a refresh token.
 */
export function tokenEndpoint(context: GatewayContext): Server {
  return createServer({ maxHeaderSize: context.configuration.limits.headerBytes }, (...both) => {
    answer(context, ...both).catch((error: unknown) => {
      context.logger.error('token_endpoint_failed', { reason: reasonOf(error) })
      if (!both[1].headersSent) send(both[1], 500, { error: 'server_error' })
    })
  })
}

async function answer(
  context: GatewayContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://token-endpoint')
  if (pathname === '/.well-known/jwks.json') return sendJwks(context, response)
  if (pathname !== '/token') return send(response, 404, { error: 'not_found' })
  if (request.method !== 'GET') return send(response, 405, { error: 'method_not_allowed' })
  // Node takes the first; who put the other there may mean that one.
  if ((request.headersDistinct['authorization']?.length ?? 0) > 1) {
    return invalid(response, 'More than one Authorization header')
  }
  const jwt = /^bearer ([\w.-]+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const claims = jwt === undefined ? undefined : context.identity.read(jwt)
  if (claims === undefined || !isForOne(context, claims.audience)) {
    return send(response, 401, { error: 'invalid_token' })
  }
  const wanted = wantedOf(searchParams)
  if (typeof wanted === 'string') return invalid(response, wanted)
  try {
    const token = await context.auth.accessToken(sessionOf(context, claims), wanted)
    send(response, 200, {
      access_token: token.value,
      token_type: token.tokenType,
      expires_in: Math.max(0, Math.floor((token.expiresAt - Date.now()) / 1000)),
      ...(token.scope !== undefined && { scope: token.scope }),
    })
  } catch (error) {
    refuse(context, response, error)
  }
}

/** One behind another proxy need not be among the applications: its name is its audience then. */
function isForOne({ applications, configuration }: GatewayContext, audience: string): boolean {
  if (audience === configuration.forwardAuth?.application) return true
  return applications.all.some((one) => one.configuration.audience === audience)
}

function refuse({ logger }: GatewayContext, response: ServerResponse, error: unknown): void {
  const [status, code, headers] = refusalOf(error)
  logger.debug('token_refused', { reason: code })
  send(response, status, { error: code }, headers)
}

function refusalOf(error: unknown): [number, string, Readonly<Record<string, string>> | undefined] {
  if (error instanceof SignInRequired) return [401, 'sign_in_required', undefined]
  // A resource that is no URI.
  if (error instanceof TypeError) return [400, 'invalid_target', undefined]
  if (error instanceof ProviderError && error.code === 'provider_refused') {
    const { error: said = '' } = error
    if (ASKERS.has(said)) return [400, said, undefined]
  }
  const failure = authFailure(error)
  if (failure === undefined) throw error
  return [failure.status, failure.code, failure.headers]
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

function invalid(response: ServerResponse, error_description: string): void {
  send(response, 400, { error: 'invalid_request', error_description })
}

function sendJwks({ keys }: GatewayContext, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(keys.jwks)
}

function send(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...challenge,
      ...headers,
    })
    .end(JSON.stringify(body))
}
