import type { Claims } from '../provider/types.ts'
import type { SessionRecord } from './record.ts'

/** All that is known of the user. The ID token goes before UserInfo and earlier ID tokens. */
export function claimsOf({
  idToken,
  subject,
  otherClaims,
}: Pick<SessionRecord, 'idToken' | 'subject' | 'otherClaims'>): Claims {
  return { ...saidBy(idToken), ...otherClaims, sub: subject }
}

/** Those of a user's claims that are not to be read in the ID token: the others need no room. */
export function claimsBeside(idToken: string, claims: Claims): SessionRecord['otherClaims'] {
  const said = saidBy(idToken)
  // What says the same is the same; what was left out of a claim when it came stays left out.
  const isSaid = (name: string, value: unknown): boolean =>
    JSON.stringify(said[name]) === JSON.stringify(value)
  return Object.fromEntries(Object.entries(claims).filter(([name, value]) => !isSaid(name, value)))
}

/** It was verified when it came, and sealed since. */
function saidBy(idToken: string): Record<string, unknown> {
  const payload = idToken.slice(idToken.indexOf('.') + 1, idToken.lastIndexOf('.'))
  const said = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  // As when it came: copying such an object would change the copy's prototype.
  Reflect.deleteProperty(said, '__proto__')
  return said
}
