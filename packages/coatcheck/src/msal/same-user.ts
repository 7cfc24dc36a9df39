import type { SessionRecord } from '../core/session/record.ts'
import type { Member } from './cache-change.ts'
import { isObject } from './token-cache.ts'

/**
 * Whether an ID token that MSAL was given is about somebody else than the session: another subject
 * of this client, or another object of the same directory. A subject of another client (they are
 * pairwise at Microsoft) says nothing either way.
 */
export function isAnothers(
  { secret }: Member,
  record: SessionRecord,
  known: Readonly<Record<string, unknown>>,
): boolean {
  const claims = claimsIn(secret)
  if (claims === undefined) return false
  const { iss, aud, sub } = claims
  const audience: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (iss === record.issuer && audience.includes(record.clientId)) return sub !== record.subject
  const [oid, tid] = [claims['oid'], claims['tid']]
  const isKnown = typeof oid === 'string' && typeof known['oid'] === 'string'
  return isKnown && tid === known['tid'] && oid !== known['oid']
}

/** MSAL got it from the token endpoint; what it says is compared and believed no further. */
function claimsIn(idToken: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof idToken !== 'string') return undefined
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString(),
    )
    return isObject(payload) ? payload : undefined
  } catch {
    // No JWT: it names nobody.
    return undefined
  }
}
