import type { AuthFetchInit } from '../../auth.ts'
import type { Context } from '../context.ts'
import { accessTokenOf } from './access-token.ts'

/** The longest claims challenge that is passed on to the provider. */
const CLAIMS_LIMIT = 4096

/**
 * `fetch` with the session's access token. An API that answers 401 to a valid token gets one
 * more try with a fresh one: after `invalid_token` (RFC 6750 section 3.1), and after
 * `insufficient_claims` with the claims it asks for.
 */
export async function fetchWithToken(
  context: Context,
  id: string,
  url: string | URL,
  { resource, scope, ...init }: AuthFetchInit,
): Promise<Response> {
  const want = { ...(resource && { resource }), ...(scope && { scope }) }
  const send = async (more: { forceRefresh?: boolean; claims?: string }): Promise<Response> => {
    const { value } = await accessTokenOf(context, id, { ...want, ...more })
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${value}`)
    return context.environment.fetch(url, { ...init, headers })
  }
  const first = await send({})
  if (first.status !== 401 || !canBeSentAgain(init.body)) return first
  const challenge = parseChallenge(first.headers.get('www-authenticate') ?? '')
  if (challenge === undefined) return first
  await first.body?.cancel()
  return send({ forceRefresh: true, ...challenge })
}

/** Whatever is read while it is sent is gone then, and the caller has to decide. */
function canBeSentAgain(body: RequestInit['body']): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return true
  return body instanceof URLSearchParams || body instanceof FormData || body instanceof Blob
}

function parseChallenge(header: string): { claims?: string } | undefined {
  const parameter = (name: string): string | undefined =>
    new RegExp(`[ ,]${name}="?([^",]*)"?`, 'i').exec(header)?.[1]
  if (!/^bearer[ ,]/i.test(header)) return undefined
  const error = parameter('error')
  if (error === 'invalid_token') return {}
  const encoded = parameter('claims')
  if (error !== 'insufficient_claims' || !encoded || encoded.length > CLAIMS_LIMIT) return undefined
  const claims = Buffer.from(encoded, 'base64').toString()
  try {
    JSON.parse(claims)
    return { claims }
  } catch {
    // Not JSON: an API may not put arbitrary text into our request to the provider.
    return undefined
  }
}
