import { randomUUID } from 'node:crypto'
import type { SigningKeys } from '../identity/signing-keys.ts'

/** Whose session at an application ends: one of ours, or all of a user's. */
export interface LogoutTarget {
  readonly subject: string
  /** The session's handle, which the application knows as `sid`; all of the user's when left out. */
  readonly handle?: string
}

/**
 * A logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4), signed by the gateway. It may
 * be sent hours after the sign-out (`at`, in milliseconds). One that names a user only is then as
 * old as the sign-out, so that an application can tell who signed in since: the specification has
 * applications judge `iat` as that of an ID token, and no other claim they know says it. One with a
 * `sid` cannot be taken for another session's and is made anew, since some refuse an old `iat`.
 */
export function logoutToken(
  keys: SigningKeys,
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
  { subject, handle }: LogoutTarget,
  at: number,
  now: number = Date.now(),
): string {
  const issuedAt = Math.floor(now / 1000)
  // Rounded up: what began in the same second before the sign-out is meant, too.
  const iat = handle === undefined ? Math.min(Math.ceil(at / 1000), issuedAt) : issuedAt
  return keys.sign(
    {
      iss: issuer,
      aud: audience,
      sub: subject,
      ...(handle !== undefined && { sid: handle }),
      iat,
      exp: issuedAt + VALID_SECONDS,
      jti: randomUUID(),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    },
    'logout+jwt',
  )
}

/** From now on: the specification recommends two minutes at most. */
const VALID_SECONDS = 120
