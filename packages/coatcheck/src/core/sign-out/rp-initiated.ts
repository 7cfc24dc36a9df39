import { AuthError } from '../../errors.ts'
import type { SignOutReceipt } from '../../events.ts'
import type { Context } from '../context.ts'
import { removeCookie } from '../http/cookies.ts'
import { readForm, single } from '../http/form.ts'
import { formOf, toPage } from '../http/page.ts'
import { redirect } from '../http/redirect.ts'
import { safeReturnTo } from '../http/return-to.ts'
import { isSameOrigin } from '../http/same-origin.ts'
import type { ProviderMetadata } from '../provider/types.ts'
import { newSecret } from '../secret.ts'
import { readSession } from '../session/read.ts'
import { cookieName, handleOf, sessionCookieAttributes, sessionIdOf } from '../session/ticket.ts'
import { allPending, forgetPending } from '../sign-in/pending.ts'
import { browserIndex } from '../tokens/home.ts'
import { isStoreFailure } from '../tokens/store-failure.ts'
import { heard, storeTimeOf } from './heard.ts'
import { markUntil } from './mark.ts'
import type { SignOutOrder } from './order.ts'
import { hasten } from './owed.ts'
import { keepPendingSignOut } from './pending-sign-out.ts'
import { newReceiptId } from './receipt-id.ts'
import { removeSessions } from './remove.ts'

/** Revocation waits so long for the browser's return: revoking first could keep the provider from telling others. */
const RETURN_WITHIN = 30_000
/** A provider whose metadata are not at hand gets so long; then the sign-out ends here. */
const PATIENCE = 500
/** Longer addresses break somewhere on the way; then the hint travels in a form (RPI 2). */
const LONGEST_URL = 2000

/**
 * Browsers hold a form's redirects to the policy as well: the provider's, which lead back here, and
 * before that to any host of its own or of the provider behind it.
 */
const ONWARD = [`'self'`, 'https:']

/** `GET …/sign-out`: a link cannot sign out, since any page could hold one; a button can. */
export function signOutPage(context: Context): Response {
  const { configuration, provider } = context
  const end = provider.knownMetadata()?.end_session_endpoint
  return toPage({
    title: 'Sign out?',
    body: formOf(configuration.routes.signOut, {}, 'Sign out'),
    formAction: [new URL(end ?? provider.issuer).origin, ...ONWARD],
  })
}

/** `POST …/sign-out`: removes here, then sends the browser on to the provider (RP-Initiated Logout 2). */
export async function signOutHere(context: Context, request: Request): Promise<Response> {
  const { configuration } = context
  if (!isSameOrigin(request, configuration.origin)) {
    throw new AuthError('cross_origin', 'The sign-out was not asked for by a page of this origin.')
  }
  const form = request.headers.has('content-type') ? await readForm(request) : new URLSearchParams()
  const wished = {
    logout_hint: single(form, 'logout_hint'),
    ui_locales: single(form, 'ui_locales'),
  }
  const wayBack = single(form, 'return_to')
  const returnTo = wayBack === undefined ? undefined : safeReturnTo(wayBack, configuration.origin)
  const metadata = context.provider.knownMetadata()
  const at = context.environment.now()
  const removed = await heard(context, 'user', (again) =>
    removeHere(context, request, metadata, at, again),
  )
  const vault = await context.keyring.load()
  const known = metadata ?? (await metadataSoon(context))
  const cookies = [
    removeCookie(cookieName(configuration), sessionCookieAttributes(configuration)),
    ...forgetPending(context, request),
  ]
  if (known?.end_session_endpoint === undefined) {
    await hastenIfPossible(context, removed.owed)
    return redirect(configuration.origin + (returnTo ?? configuration.routes.signedOut), cookies)
  }
  const state = newSecret(context.environment)
  const pending = { state, returnTo, owed: removed.owed }
  return toProvider(
    new URL(known.end_session_endpoint),
    {
      ...(removed.idToken !== undefined && { id_token_hint: removed.idToken }),
      client_id: context.provider.clientId,
      post_logout_redirect_uri: configuration.origin + configuration.routes.signedOut,
      state,
      ...definedOf(wished),
    },
    [...cookies, keepPendingSignOut(context, vault, pending)],
  )
}

/** Removes the browser's session and keeps its other tabs from completing a sign-in. */
async function removeHere(
  context: Context,
  request: Request,
  metadata: ProviderMetadata | undefined,
  at: number,
  resumed: boolean,
): Promise<{ readonly idToken: string | undefined; readonly owed: readonly string[] }> {
  const vault = await context.keyring.confirm()
  const id = sessionIdOf(request, cookieName(context.configuration))
  const held = id === undefined ? undefined : await readSession(context, id)
  const pending = allPending(context, vault, request).map(({ browser }) => browser)
  const browsers = new Set(held === undefined ? pending : [held.record.browser, ...pending])
  if (browsers.size === 0 && id === undefined) return { idToken: undefined, owed: [] }
  const here = await storeTimeOf(context, at, resumed)
  // The session itself is found by its browser too: it and what is under way end in one step.
  const order: SignOutOrder = {
    id: newReceiptId(context),
    cause: 'user',
    named: id === undefined ? [] : [{ by: 'session', reference: handleOf(id) }],
    // One that cannot be read says nothing of its browser.
    sessions: id !== undefined && held === undefined ? [id] : [],
    marks: [...browsers].map((browser) => ({
      index: browserIndex(vault, context.provider, browser),
      mark: markUntil(context, 'here', here, at),
    })),
    revokeAt: at + RETURN_WITHIN,
    providerSession: providerSessionOf(metadata),
    at,
  }
  const { owed } = await removeSessions(context, order, { resumed })
  return { idToken: held?.record.idToken, owed }
}

/** The user is signed out by now, and what is owed becomes due by itself: only a little later. */
async function hastenIfPossible(context: Context, owed: readonly string[]): Promise<void> {
  try {
    await hasten(context, owed)
  } catch (error) {
    // The store told the observer.
    if (!isStoreFailure(error)) throw error
  }
}

function providerSessionOf(
  metadata: ProviderMetadata | undefined,
): SignOutReceipt['providerSession'] {
  if (metadata === undefined) return 'not_asked'
  return metadata.end_session_endpoint === undefined ? 'unsupported' : 'browser_sent'
}

async function metadataSoon(context: Context): Promise<ProviderMetadata | undefined> {
  const asked = context.provider.metadata().catch((error: unknown) => {
    // A provider that is down does not keep anybody signed in here; discovery tells its own story.
    if (error instanceof AuthError) return undefined
    throw error
  })
  return Promise.race([asked, context.environment.wait(PATIENCE).then(() => undefined)])
}

function toProvider(
  endpoint: URL,
  parameters: Readonly<Record<string, string>>,
  cookies: readonly string[],
): Response {
  const url = new URL(endpoint)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  if (url.href.length <= LONGEST_URL) return redirect(url.href, cookies)
  return toPage({
    title: 'Signing out…',
    body: formOf(endpoint.href, parameters, 'Continue'),
    formAction: [endpoint.origin, ...ONWARD],
    submits: true,
    cookies,
  })
}

function definedOf(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) if (value !== undefined) found[name] = value
  return found
}
