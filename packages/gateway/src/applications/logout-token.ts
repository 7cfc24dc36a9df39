import { randomUUID } from 'node:crypto'
import type { SigningKeys } from '../identity/signing-keys.ts'

/** Whose session at an application ends: one of ours, or all of a user's. */
export interface LogoutTarget {
  readonly subject: string
  /** The session's handle, which the application knows as `sid`; all of the user's when left out. */
  readonly handle?: string
}

/** A logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4), signed by the gateway. */
export function logoutToken(
  keys: SigningKeys,
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
  { subject, handle }: LogoutTarget,
  now: number = Date.now(),
): string {
  const iat = Math.floor(now / 1000)
  return keys.sign(
    {
      iss: issuer,
      aud: audience,
      sub: subject,
      ...(handle !== undefined && { sid: handle }),
      iat,
      exp: iat + VALID_SECONDS,
      jti: randomUUID(),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    },
    'logout+jwt',
  )
}

/** The specification recommends two minutes at most. */
const VALID_SECONDS = 120
