import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { isJsonObject } from './strict-json.ts'

/** The keys of one fetch that may verify signatures of one algorithm. */
export interface KeySet {
  /** Those with this `kid`; all of them, up to ten, for a token without one (Core 10.1). */
  fitting(kid: string | undefined): readonly KeyObject[]
}

type NamedKey = JsonWebKey & { readonly kid?: unknown }

/** What a key must be to verify signatures of an algorithm (RFC 7518 section 3.1). */
interface KeyKind {
  readonly kty: string
  readonly crv?: string
}

const RSA: KeyKind = { kty: 'RSA' }
const ED25519: KeyKind = { kty: 'OKP', crv: 'Ed25519' }
const KINDS: Readonly<Record<string, KeyKind>> = {
  RS256: RSA,
  RS384: RSA,
  RS512: RSA,
  PS256: RSA,
  PS384: RSA,
  PS512: RSA,
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: ED25519,
  Ed25519: ED25519,
}

/** Signature algorithms whose keys a provider publishes. */
export const ASYMMETRIC_ALGORITHMS: readonly string[] = Object.keys(KINDS)

const MAXIMUM_KEYS = 100
const MAXIMUM_TRIED = 10
/** RFC 7518 section 3.3. */
const MINIMUM_RSA_BITS = 2048

/**
 * Sorts a JWK set (RFC 7517 section 5): keys for encryption, of another type, curve, algorithm or
 * operation, and RSA keys below 2048 bits are left out. Throws an `Error` whose message is the
 * rule when the document is no usable set.
 */
export function createKeySet(document: unknown, algorithm: string): KeySet {
  const keys = isJsonObject(document) ? document['keys'] : undefined
  if (!Array.isArray(keys)) throw new Error('there is no list of keys')
  if (keys.length > MAXIMUM_KEYS) throw new Error(`there are more than ${MAXIMUM_KEYS} keys`)
  const usable = keys.filter((key) => isJsonObject(key) && fits(key, algorithm)) as NamedKey[]
  const imported = new Map<NamedKey, KeyObject | undefined>()

  const importOnce = (jwk: NamedKey): KeyObject | undefined => {
    if (!imported.has(jwk)) imported.set(jwk, importPublic(jwk))
    return imported.get(jwk)
  }

  return {
    fitting(kid) {
      const named = kid === undefined ? usable : usable.filter((jwk) => jwk.kid === kid)
      const keys = named.slice(0, MAXIMUM_TRIED).map(importOnce)
      return keys.filter((key) => key !== undefined)
    },
  }
}

function fits(jwk: Record<string, unknown>, algorithm: string): boolean {
  const kind = KINDS[algorithm]
  const { kty, crv, use, alg, key_ops } = jwk
  return (
    kind !== undefined &&
    kty === kind.kty &&
    (kind.crv === undefined || crv === kind.crv) &&
    (use === undefined || use === 'sig') &&
    (alg === undefined || alg === algorithm || KINDS[String(alg)] === ED25519) &&
    (key_ops === undefined || (Array.isArray(key_ops) && key_ops.includes('verify')))
  )
}

/** A key that cannot be imported is as good as one that is not there. */
function importPublic(jwk: NamedKey): KeyObject | undefined {
  // Only the public members: what else stands there decides nothing.
  const { kty, n, e, crv, x, y } = jwk
  const members =
    kty === 'RSA' ? { kty, n, e } : kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x }
  try {
    const key = createPublicKey({ key: members as JsonWebKey, format: 'jwk' })
    const { modulusLength = MINIMUM_RSA_BITS } = key.asymmetricKeyDetails ?? {}
    return modulusLength < MINIMUM_RSA_BITS ? undefined : key
  } catch {
    return undefined
  }
}
