import type { Auth, HasHeaders, Session } from '../auth.ts'
import { isPageRequest } from '../core/http/page-request.ts'
import { problem } from '../core/http/problem.ts'
import { AuthError, type AuthErrorCode } from '../errors.ts'
import { SignInRequired } from '../sign-in-required.ts'
import { originForm } from './target.ts'

/** A request as a guard sees it, whatever the framework. */
export type GuardedRequest = HasHeaders & { readonly method?: string | undefined }

/** Who is signed in, or what to answer instead of running the handler. */
export type Guarded = { readonly session: Session } | { readonly answer: Response }

/** Decides whether a request may go on. What nobody expects is left to the framework. */
export async function guard(auth: Auth, request: GuardedRequest, target: string): Promise<Guarded> {
  try {
    const session = await auth.session(request)
    return session === undefined ? { answer: signInAnswer(auth, request, target) } : { session }
  } catch (error) {
    if (!(error instanceof AuthError) || !BLIND.includes(error.code)) throw error
    return { answer: unavailable(error.code) }
  }
}

/**
 * Sends a page to sign-in and back to where it was; tells everybody else 401 and where to sign
 * in. The path of an API request is no page, so it is not offered as a way back.
 */
export function signInAnswer(auth: Auth, request: GuardedRequest, target: string): Response {
  const { headers, method = 'GET' } = request
  const asked = { headers, method }
  const path = isPageRequest(asked) ? auth.signInPath(originForm(target)) : auth.signInPath()
  return new SignInRequired(path).toResponse(asked)
}

/** Until somebody acts, or the store is back, nobody knows who is signed in. */
const BLIND: readonly AuthErrorCode[] = ['store_unavailable', 'store_unusable', 'keys_unknown']

/**
 * With the store out of reach nobody can say who is signed in: not "sign in again", which would
 * sign users out by mistake, and not the framework's 500, which a proxy may take for a broken
 * application. The event `store_failed` has told the operator; the cookie stays as it is.
 */
function unavailable(code: AuthErrorCode): Response {
  const response = problem(503, code, 'Try again in a moment.')
  response.headers.set('retry-after', '5')
  return response
}
