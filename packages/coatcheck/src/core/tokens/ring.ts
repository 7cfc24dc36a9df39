import { AuthError } from '../../errors.ts'

/** The keyring as it is stored. Bytes are base64url. */
export interface Ring {
  readonly format: 1
  /** Ids of the configured keys it is wrapped under, in the order in which they came. */
  readonly wrappedBy: readonly string[]
  /** Renewed long before: a store may drop what has expired. */
  readonly renewedAt: number
  readonly index: Wraps
  /** The newest first. */
  readonly seal: readonly { readonly id: string; readonly wraps: Wraps }[]
}

/** One secret, wrapped under each key by the key's id. */
export type Wraps = Readonly<Record<string, string>>

/** As the store keeps it. */
export function toBytes(ring: Ring): Uint8Array {
  return Buffer.from(JSON.stringify(ring))
}

/** The other way. Throws `keys_unknown` where the bytes are no keyring that is known here. */
export function fromBytes(bytes: Uint8Array): Ring {
  const ring = parse(bytes)
  if (isRing(ring)) return ring
  const isLater = isObject(ring) && typeof ring['format'] === 'number' && ring['format'] > 1
  throw new AuthError(
    'keys_unknown',
    isLater
      ? 'The keyring in this store is of a later version: update coatcheck.'
      : 'The keyring in this store is not readable: restore the store, or empty it to start afresh.',
  )
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return undefined
  }
}

function isRing(value: unknown): value is Ring {
  if (!isObject(value) || value['format'] !== 1) return false
  const { wrappedBy, renewedAt, index, seal } = value
  return (
    Array.isArray(wrappedBy) &&
    wrappedBy.every((name) => typeof name === 'string') &&
    typeof renewedAt === 'number' &&
    isWraps(index) &&
    Array.isArray(seal) &&
    seal.length > 0 &&
    seal.every((one) => isObject(one) && isSealKeyId(one['id']) && isWraps(one['wraps']))
  )
}

function isWraps(value: unknown): value is Wraps {
  return isObject(value) && Object.values(value).every((wrapped) => typeof wrapped === 'string')
}

/** Six bytes: one of another length would shift all that is behind it in a sealed text. */
function isSealKeyId(value: unknown): boolean {
  return typeof value === 'string' && /^[\w-]{8}$/.test(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
