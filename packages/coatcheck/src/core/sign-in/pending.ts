import { createHash } from 'node:crypto'
import type { HasHeaders } from '../../auth.ts'
import type { Context } from '../context.ts'
import {
  type Cookie,
  type CookieAttributes,
  cookiesOf,
  removeCookie,
  setCookie,
} from '../http/cookies.ts'
import { headerOf } from '../http/headers.ts'
import { isSameSecret } from '../secret.ts'
import { cookieName } from '../session/ticket.ts'
import type { Vault } from '../tokens/vault.ts'

/** What has to be known between redirect and callback; kept sealed in the browser's own cookie. */
export interface PendingSignIn {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly issuer: string
  readonly returnTo: string
  /** By the store's clock: what a sign-out that begins here is compared with. */
  readonly beganAt: number
  readonly expiresAt: number
  /** What the sign-ins of this browser have in common: a sign-out in it ends them all. */
  readonly browser: string
  /** The store id of the session this browser had when it left. */
  readonly replaces?: string
  readonly maxAge?: number
  readonly acrValues: readonly string[]
  /** Nothing but `prompt=none` was asked: a refusal means that the provider's session is over. */
  readonly silent: boolean
}

/** A user who takes longer begins again. */
export const PENDING_LIFETIME = 600_000
/** So many sign-ins may be under way in the tabs of one browser; the oldest make room. */
const MOST_PENDING = 5
/** Together they must leave room for the application's own cookies. */
const MOST_BYTES = 4000

/** `Set-Cookie` lines that keep a sign-in, and drop the oldest where there are too many. */
export function keepPending(
  context: Context,
  vault: Vault,
  request: HasHeaders,
  pending: PendingSignIn,
): string[] {
  const attributes = pendingCookieAttributes(context)
  const began = Math.floor(pending.beganAt / 1000).toString(36)
  const name = `${prefixOf(context)}${began}.${fingerprint(pending.state)}`
  const value = Buffer.from(vault.seal('pending_sign_in', name, pending)).toString('base64url')
  const maxAge = Math.round(PENDING_LIFETIME / 1000)
  let room = MOST_BYTES - name.length - value.length
  const newestFirst = pendingCookies(context, request).sort((a, b) => (a.name < b.name ? 1 : -1))
  const dropped = newestFirst.filter((cookie, at) => {
    room -= cookie.name.length + cookie.value.length
    return at >= MOST_PENDING - 1 || room < 0
  })
  return [
    ...dropped.map((cookie) => removeCookie(cookie.name, attributes)),
    setCookie(name, value, maxAge, attributes),
  ]
}

/** The sign-in of this browser that went out with this `state`, and the cookie it is kept in. */
export function findPending(
  context: Context,
  vault: Vault,
  request: HasHeaders,
  state: string,
): { readonly pending: PendingSignIn; readonly cookie: Cookie } | undefined {
  const ending = `.${fingerprint(state)}`
  for (const cookie of pendingCookies(context, request)) {
    if (!cookie.name.endsWith(ending)) continue
    const pending = openPending(context, vault, cookie)
    if (pending !== undefined && isSameSecret(pending.state, state)) return { pending, cookie }
  }
  return undefined
}

/** Every sign-in under way in the browser that sent this request. */
export function allPending(context: Context, vault: Vault, request: HasHeaders): PendingSignIn[] {
  const cookies = pendingCookies(context, request).slice(0, 2 * MOST_PENDING)
  return cookies.flatMap((cookie) => openPending(context, vault, cookie) ?? [])
}

/** `Set-Cookie` lines that drop all of them. */
export function forgetPending(context: Context, request: HasHeaders): string[] {
  const attributes = pendingCookieAttributes(context)
  return pendingCookies(context, request).map((cookie) => removeCookie(cookie.name, attributes))
}

/** `Set-Cookie` line that drops one. */
export function forgetOnePending(context: Context, { name }: Cookie): string {
  return removeCookie(name, pendingCookieAttributes(context))
}

function openPending(
  context: Context,
  vault: Vault,
  { name, value }: Cookie,
): PendingSignIn | undefined {
  const sealed = Buffer.from(value, 'base64url')
  const pending = vault.open('pending_sign_in', name, sealed).content as PendingSignIn | undefined
  return pending && pending.expiresAt > context.environment.now() ? pending : undefined
}

function pendingCookies(context: Context, request: HasHeaders): Cookie[] {
  return cookiesOf(headerOf(request, 'cookie'), prefixOf(context))
}

function prefixOf({ configuration }: Context): string {
  return cookieName(configuration, '.in.')
}

/** A provider that posts its answer does so from its own site, where a Lax cookie stays at home. */
function pendingCookieAttributes({ configuration }: Context): CookieAttributes {
  const posted = configuration.responseMode === 'form_post'
  return { secure: configuration.secure || posted, sameSite: posted ? 'None' : 'Lax' }
}

function fingerprint(state: string): string {
  return createHash('sha256').update(state).digest('base64url').slice(0, 12)
}
