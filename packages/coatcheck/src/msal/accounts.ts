import type { Ended } from '../places.ts'

/**
 * The home account ids that the claims of the ended sessions name: `oid.tid` of Microsoft Entra
 * ID. Right for users of the tenant that the application signs in to; a guest's home account id is
 * that of the home tenant, which no claim of the ID token says.
 */
export function accountsInClaims({ sessions }: Ended): string[] {
  return sessions.flatMap(({ claims }) => {
    const { oid, tid } = claims as { readonly oid?: unknown; readonly tid?: unknown }
    return isName(oid) && isName(tid) ? [`${oid}.${tid}`] : []
  })
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
