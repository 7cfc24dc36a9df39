import type { Auth, HasHeaders, Session } from '../auth.ts'
import { toFailure } from '../core/http/failure.ts'
import { isPageRequest } from '../core/http/page-request.ts'
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
    return { answer: toFailure(error, request) }
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

/**
 * Until the store is back, or somebody acts, nobody can say who is signed in. The answer is 503, as
 * from coatcheck's own routes, and the cookie stays as it is: not "sign in again", which would sign
 * users out by mistake, and not the framework's 500, which a proxy may take for a broken
 * application. A store's failure has been told to `observe` as `store_failed`; `keys_unknown` is
 * told with the next sign-in, which it fails as well.
 */
const BLIND: readonly AuthErrorCode[] = ['store_unavailable', 'store_unusable', 'keys_unknown']
