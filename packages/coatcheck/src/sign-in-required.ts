import type { HasHeaders } from './auth.ts'
import { isPageRequest } from './core/http/page-request.ts'
import { problem } from './core/http/problem.ts'
import { AuthError } from './errors.ts'

/**
 * Nobody is signed in, or the provider wants to see the user before it hands out this token.
 * An application lets it through to its error handler, which answers with `toResponse`.
 */
export class SignInRequired extends AuthError {
  override readonly name = 'SignInRequired'
  /** Where a browser is sent to sign in; without a way back. */
  readonly signInPath: string

  constructor(signInPath: string, message = 'Nobody is signed in.', options?: ErrorOptions) {
    super('sign_in_required', message, options)
    this.signInPath = signInPath
  }

  /** A page request goes to sign-in; any other gets 401 with a problem body (RFC 9457). */
  toResponse(request?: HasHeaders & { readonly method?: string | undefined }): Response {
    if (request !== undefined && isPageRequest(request)) {
      const headers = { location: this.signInPath, 'cache-control': 'no-store' }
      return new Response(null, { status: 303, headers })
    }
    return problem(401, this.code, 'Sign in to continue.', { signIn: this.signInPath })
  }
}
