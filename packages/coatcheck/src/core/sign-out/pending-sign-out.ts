import type { HasHeaders } from '../../auth.ts'
import type { Context } from '../context.ts'
import { type CookieAttributes, cookiesOf, removeCookie, setCookie } from '../http/cookies.ts'
import { headerOf } from '../http/headers.ts'
import { isSameSecret } from '../secret.ts'
import { cookieName } from '../session/ticket.ts'
import type { Vault } from '../tokens/vault.ts'

/** What has to be known when the provider sends the browser back from its sign-out. */
export interface PendingSignOut {
  readonly state: string
  readonly returnTo: string | undefined
  /** Revocations that wait for the browser's return. */
  readonly owed: readonly string[]
  readonly expiresAt: number
}

const LIFETIME = 600_000

/** A `Set-Cookie` line that keeps it. */
export function keepPendingSignOut(
  context: Context,
  vault: Vault,
  pending: Omit<PendingSignOut, 'expiresAt'>,
): string {
  const name = nameOf(context)
  const expiresAt = context.environment.now() + LIFETIME
  const sealed = vault.seal('pending_sign_out', name, { ...pending, expiresAt })
  return setCookie(
    name,
    Buffer.from(sealed).toString('base64url'),
    LIFETIME / 1000,
    attributesOf(context),
  )
}

/** The sign-out this browser comes back from, if `state` is the one it left with. */
export function findPendingSignOut(
  context: Context,
  vault: Vault,
  request: HasHeaders,
  state: string | undefined,
): PendingSignOut | undefined {
  const name = nameOf(context)
  const [cookie] = cookiesOf(headerOf(request, 'cookie'), name)
  if (cookie?.name !== name || state === undefined) return undefined
  const sealed = Buffer.from(cookie.value, 'base64url')
  const pending = vault.open('pending_sign_out', name, sealed).content as PendingSignOut | undefined
  if (pending === undefined || pending.expiresAt <= context.environment.now()) return undefined
  return isSameSecret(pending.state, state) ? pending : undefined
}

/** A `Set-Cookie` line that drops it. */
export function forgetPendingSignOut(context: Context): string {
  return removeCookie(nameOf(context), attributesOf(context))
}

function nameOf({ configuration }: Context): string {
  return cookieName(configuration, '.out')
}

function attributesOf({ configuration }: Context): CookieAttributes {
  return { secure: configuration.secure, sameSite: 'Lax' }
}
