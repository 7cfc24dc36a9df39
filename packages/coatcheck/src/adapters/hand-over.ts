import type { Auth } from '../auth.ts'
import { problem } from '../core/http/problem.ts'
import { AuthError } from '../errors.ts'

/** Hands a request to the core, or refuses one that cannot even be built. */
export async function handOver(auth: Auth, build: () => Promise<Request>): Promise<Response> {
  let request: Request
  try {
    request = await build()
  } catch (error) {
    const refused = refusal(error)
    if (refused === undefined) throw error
    return refused
  }
  return auth.handle(request)
}

/** Fetch forbids to build a `Request` with these, and would throw what looks like a bug. */
export function refuseMethod(method: string): void {
  if (/^(CONNECT|TRACE|TRACK)$/i.test(method)) {
    throw new AuthError('method_not_allowed', `The method ${method} is not supported.`)
  }
}

function refusal(error: unknown): Response | undefined {
  if (!(error instanceof AuthError)) return undefined
  if (error.code === 'request_too_large') return problem(413, error.code, 'The body is too large.')
  if (error.code === 'request_invalid') return problem(400, error.code, 'The body is incomplete.')
  if (error.code === 'method_not_allowed') {
    // 501 rather than 405: no route at all supports it, so there is nothing to list in Allow.
    return problem(501, error.code, 'This method is not supported.')
  }
  return undefined
}
