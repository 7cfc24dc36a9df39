import { AuthError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { escapeHtml, toPage } from '../http/page.ts'
import { redirect } from '../http/redirect.ts'
import { hasten } from './owed.ts'
import { findPendingSignOut, forgetPendingSignOut } from './pending-sign-out.ts'

/**
 * `GET …/signed-out`: where the provider sends the browser back (RP-Initiated Logout 3). A wrong
 * or missing `state` is nobody's fault and changes nothing: the user is signed out already.
 */
export async function showSignedOut(context: Context, request: Request): Promise<Response> {
  const { configuration } = context
  const state = new URL(request.url).searchParams.get('state') ?? undefined
  const pending = await findReturn(context, request, state)
  const cookies = pending === undefined ? [] : [forgetPendingSignOut(context)]
  if (pending?.returnTo !== undefined) {
    return redirect(configuration.origin + pending.returnTo, cookies)
  }
  const signIn = `<p><a href="${escapeHtml(configuration.routes.signIn)}">Sign in again</a></p>`
  return toPage({ title: 'You are signed out', body: signIn, cookies })
}

async function findReturn(
  context: Context,
  request: Request,
  state: string | undefined,
): Promise<ReturnType<typeof findPendingSignOut>> {
  if (state === undefined) return undefined
  try {
    const pending = findPendingSignOut(context, await context.keyring.confirm(), request, state)
    if (pending !== undefined) await hasten(context, pending.owed)
    return pending
  } catch (error) {
    // The store told the observer. What is owed becomes due by itself; the page must not fail.
    if (error instanceof AuthError) return undefined
    throw error
  }
}
