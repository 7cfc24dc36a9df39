import { createHash } from 'node:crypto'
import { AuthError } from '../../errors.ts'
import type { Context } from '../context.ts'
import { single } from '../http/form.ts'
import { redirect } from '../http/redirect.ts'
import { safeReturnTo } from '../http/return-to.ts'
import { newSecret } from '../secret.ts'
import { readSession } from '../session/read.ts'
import { cookieName, sessionIdOf } from '../session/ticket.ts'
import type { Vault } from '../tokens/vault.ts'
import { allPending, keepPending, PENDING_LIFETIME, type PendingSignIn } from './pending.ts'

/** Parameters of the authorization request that a link to the sign-in may set (Core 3.1.2.1). */
const PASSED_ON = ['prompt', 'max_age', 'acr_values', 'login_hint', 'ui_locales'] as const
const LONGEST_PARAMETER = 512

/** `GET …/sign-in`: sends the browser to the provider. */
export async function startSignIn(context: Context, request: Request): Promise<Response> {
  const { configuration, environment, provider } = context
  const query = new URL(request.url).searchParams
  // What the application asks of every sign-in, a link cannot ask less of.
  const wished = { ...passedOn(query), ...configuration.authorizationParameters }
  const replaces = sessionIdOf(request, cookieName(configuration))
  const vault = await context.keyring.confirm()
  const beganAt = await context.store.now()
  const pending: PendingSignIn = {
    state: newSecret(environment),
    nonce: newSecret(environment),
    verifier: newSecret(environment),
    issuer: provider.issuer,
    returnTo: safeReturnTo(single(query, 'return_to'), configuration.origin),
    beganAt,
    expiresAt: environment.now() + PENDING_LIFETIME,
    browser: await browserOf(context, vault, request, replaces),
    ...(replaces !== undefined && { replaces }),
    ...(wished['max_age'] !== undefined && { maxAge: toSeconds(wished['max_age']) }),
    acrValues: wished['acr_values']?.split(' ').filter(Boolean) ?? [],
    silent:
      wished['prompt'] === 'none' && PASSED_ON.every((name) => name === 'prompt' || !wished[name]),
  }
  const url = await provider.authorizationUrl({
    ...wished,
    scope: configuration.scope,
    redirect_uri: configuration.origin + configuration.routes.callback,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: createHash('sha256').update(pending.verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(configuration.resources.length > 0 && { resource: configuration.resources }),
    ...(configuration.responseMode === 'form_post' && { response_mode: 'form_post' }),
  })
  return redirect(url.href, keepPending(context, vault, request, pending))
}

/** The browser as its session or its other tabs know it; a new one where there are none. */
async function browserOf(
  context: Context,
  vault: Vault,
  request: Request,
  sessionId: string | undefined,
): Promise<string> {
  const held = sessionId === undefined ? undefined : await readSession(context, sessionId)
  const [other] = allPending(context, vault, request)
  return held?.record.browser ?? other?.browser ?? newSecret(context.environment)
}

function passedOn(query: URLSearchParams): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of PASSED_ON) {
    const value = single(query, name)
    if (value === undefined) continue
    if (value.length > LONGEST_PARAMETER) {
      throw new AuthError('request_invalid', `The parameter ${name} is too long.`)
    }
    found[name] = value
  }
  return found
}

function toSeconds(maxAge: string): number {
  if (/^\d{1,9}$/.test(maxAge)) return Number(maxAge)
  throw new AuthError('request_invalid', 'The parameter max_age is not a number of seconds.')
}
