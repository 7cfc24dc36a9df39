import type { AccessToken } from '../../auth.ts'
import type { Claims } from '../provider/types.ts'
import { redacted } from '../tokens/redacted.ts'
import { claimsOf } from './claims.ts'
import type { KeptAccessToken, SessionRecord } from './record.ts'

/**
 * What applications get to see of records, made once for each record that was opened. Frozen, all
 * through: whoever holds it shares it with other requests of the same user.
 */
export interface Views {
  claims(record: SessionRecord): Claims
  accessToken(kept: KeptAccessToken): AccessToken
}

/** Nothing made yet; what was made goes when its record does. */
export function createViews(): Views {
  const claims = new WeakMap<SessionRecord, Claims>()
  const accessTokens = new WeakMap<KeptAccessToken, AccessToken>()

  return {
    claims(record) {
      const before = claims.get(record)
      if (before !== undefined) return before
      const made = freeze(claimsOf(record))
      claims.set(record, made)
      return made
    },

    accessToken(kept) {
      const before = accessTokens.get(kept)
      if (before !== undefined) return before
      const { value, expiresAt, scope, tokenType } = kept
      const made = Object.freeze(redacted({ value, expiresAt, scope, tokenType }))
      accessTokens.set(kept, made)
      return made
    },
  }
}

/** With all that is in it, however deep. It is what JSON can say, so it has no loops. */
function freeze<T>(value: T): T {
  const all: unknown[] = [value]
  for (const one of all) {
    if (typeof one !== 'object' || one === null) continue
    Object.freeze(one)
    for (const inner of Object.values(one)) all.push(inner)
  }
  return value
}
