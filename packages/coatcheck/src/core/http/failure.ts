import type { HasHeaders } from '../../auth.ts'
import type { AuthError, AuthErrorCode } from '../../errors.ts'
import { headerOf } from './headers.ts'
import { escapeHtml, toPage } from './page.ts'
import { isPageRequest } from './page-request.ts'
import { problem } from './problem.ts'

/** What a client sees of a failure: chosen from the code alone. */
const SHOWN: Readonly<
  Record<AuthErrorCode, readonly [status: number, title: string, advice: string]>
> = {
  sign_in_required: [401, 'Sign in to continue', 'You are not signed in.'],
  sign_in_unknown: [
    400,
    'This sign-in is no longer known',
    'It took too long, or was begun in another browser. Please sign in again.',
  ],
  sign_in_repeated: [
    400,
    'This sign-in was completed before',
    'If you are not signed in, please sign in again.',
  ],
  sign_in_refused: [
    400,
    'The sign-in was not completed',
    'Your identity provider did not complete it.',
  ],
  signed_out_meanwhile: [
    400,
    'You were signed out meanwhile',
    'A sign-out arrived before the sign-in was done. Please sign in again.',
  ],
  issuer_mismatch: [
    400,
    'The sign-in was not completed',
    'The answer did not come from the expected identity provider.',
  ],
  id_token_invalid: [
    400,
    'The sign-in was not completed',
    'The answer of the identity provider could not be verified.',
  ],
  userinfo_invalid: [
    400,
    'The sign-in was not completed',
    'The answer of the identity provider could not be verified.',
  ],
  logout_token_invalid: [400, 'Refused', 'The logout token is not valid.'],
  logout_token_late: [400, 'Refused', 'The logout token has expired.'],
  provider_unreachable: [
    503,
    'The identity provider does not answer',
    'Please try again in a moment.',
  ],
  provider_invalid: [
    502,
    'The identity provider answered unexpectedly',
    'Please try again, or tell the operator of this application.',
  ],
  provider_refused: [
    502,
    'The identity provider refused',
    'Please try again, or tell the operator of this application.',
  ],
  store_unavailable: [
    503,
    'This is not possible right now',
    'Please try again in a moment. You have not been signed out.',
  ],
  store_unusable: [
    503,
    'This is not possible right now',
    'Please try again in a moment. You have not been signed out.',
  ],
  keys_unknown: [
    503,
    'This is not possible right now',
    'The operator of this application has to act.',
  ],
  request_invalid: [400, 'The request is not valid', 'Please go back and try again.'],
  request_too_large: [413, 'The request is too large', 'Please go back and try again.'],
  method_not_allowed: [405, 'Not possible this way', 'This address answers other methods.'],
  media_type_unsupported: [415, 'Not possible this way', 'This address expects a form.'],
  cross_origin: [403, 'Refused', 'This request must come from the application itself.'],
  closed: [503, 'The application is stopping', 'Please try again in a moment.'],
}

type Asked = HasHeaders & { readonly method?: string | undefined }

/**
 * The answer to a request that failed: a page for a person, a problem body for a program. The page
 * offers to sign in only where that may help.
 */
export function toFailure(
  error: AuthError,
  request: Asked,
  {
    signInPath,
    cookies = [],
  }: { readonly signInPath?: string; readonly cookies?: readonly string[] } = {},
): Response {
  const [status, title, advice] = SHOWN[error.code]
  const response = wantsPage(request)
    ? toPage({ status, title, body: `<p>${advice}</p>${linkTo(signInPath)}` })
    : problem(status, error.code, title)
  for (const cookie of cookies) response.headers.append('set-cookie', cookie)
  if (status === 503) response.headers.set('retry-after', '5')
  return response
}

function linkTo(signInPath: string | undefined): string {
  return signInPath === undefined ? '' : `<p><a href="${escapeHtml(signInPath)}">Sign in</a></p>`
}

/** A form that a browser posted shows its answer to a person as well. */
function wantsPage(request: Asked): boolean {
  if (request.method !== 'POST') return isPageRequest(request)
  return headerOf(request, 'accept')?.includes('text/html') ?? false
}
