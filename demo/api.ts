import type { RequestListener, ServerResponse } from 'node:http'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

/** What the API needs to know to tell a good access token from a bad one. */
export interface ApiOptions {
  readonly issuer: string
  readonly jwksUri: string
  /** The audience: this API's own name. */
  readonly resource: string
}

/** The scope the API asks for. */
export const apiScope = 'coats:read'

/**
 * The downstream API: knows nothing of sessions or sign-outs, only access tokens (RFC 9068). It
 * verifies signature, issuer, audience, type, expiry and scope of each.
 */
export function api(options: ApiOptions): RequestListener {
  const keys = createRemoteJWKSet(new URL(options.jwksUri))
  const seen = new Map<string, number>()

  return async (request, response) => {
    const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (bearer === undefined) return refuse(response, 401, 'invalid_token', 'no access token')
    try {
      const { payload } = await jwtVerify(bearer, keys, {
        issuer: options.issuer,
        audience: options.resource,
        typ: 'at+jwt',
        requiredClaims: ['sub', 'exp', 'jti', 'client_id'],
      })
      const scope = String(payload['scope'] ?? '')
      if (!scope.split(' ').includes(apiScope)) {
        return refuse(response, 403, 'insufficient_scope', `needs ${apiScope}`)
      }
      const jti = String(payload.jti)
      seen.set(jti, seen.get(jti) ?? seen.size + 1)
      answer(response, 200, {
        hello: payload.sub,
        coats: ['a long grey coat', 'a yellow raincoat'],
        // Tokens are shown by number: the first the API ever saw is 1.
        accessToken: seen.get(jti),
        for: payload['client_id'],
        audience: payload.aud,
        scope,
        expiresInSeconds: Math.max(0, (payload.exp ?? 0) - Math.floor(Date.now() / 1000)),
      })
    } catch (error) {
      if (!(error instanceof errors.JOSEError))
        return refuse(response, 503, 'unavailable', 'no keys')
      refuse(response, 401, 'invalid_token', error.code)
    }
  }
}

function refuse(response: ServerResponse, status: number, error: string, why: string): void {
  response.setHeader('WWW-Authenticate', `Bearer error="${error}", error_description="${why}"`)
  answer(response, status, { error, why })
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.statusCode = status
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('Cache-Control', 'no-store')
  response.end(`${JSON.stringify(body, null, 2)}\n`)
}
