import type { AccessToken, AccessTokenOptions, HasHeaders } from '../../auth.ts'
import { SignInRequired } from '../../sign-in-required.ts'
import type { Context } from '../context.ts'
import type { HeldSession } from '../session/record.ts'
import { ofSession } from '../session/session.ts'
import { accessTokenOf } from './access-token.ts'

/**
 * A valid access token of whoever is signed in with this request; counts as the user's activity.
 * Where nothing is due, the session is read once for both.
 */
export async function accessTokenAt(
  context: Context,
  request: HasHeaders,
  options: AccessTokenOptions,
): Promise<AccessToken> {
  const signedIn = (held: HeldSession | undefined): HeldSession => {
    if (held === undefined) throw new SignInRequired(context.configuration.routes.signIn)
    return held
  }
  return ofSession(
    context,
    request,
    (held) => accessTokenOf(context, signedIn(held).id, options, held),
    // We waited: what was read before is no longer news.
    (held) => accessTokenOf(context, signedIn(held).id, options),
  )
}
