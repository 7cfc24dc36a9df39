import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'

/** What a sealed text is for; bytes sealed for one purpose do not open for another. */
export type Purpose =
  | 'session'
  | 'work'
  | 'refusal'
  | 'pending_sign_in'
  | 'pending_sign_out'
  | 'keyring'

/** A key to seal with, and the public name by which it is found again. */
export interface SealKey {
  /** Six bytes. */
  readonly id: Uint8Array
  /** Of thirty-two bytes. To make one of the bytes anew takes longer than to seal with it. */
  readonly secret: KeyObject
}

/** Raised whenever the layout of what is sealed changes: older bytes are unreadable, never misread. */
export const FORMAT = 2
const ID_LENGTH = 6
const NONCE_LENGTH = 12
const TAG_LENGTH = 16
const HEADER_LENGTH = 1 + ID_LENGTH + NONCE_LENGTH

/** A key from its bytes. */
export function sealKey(id: Uint8Array, secret: Uint8Array): SealKey {
  return { id, secret: createSecretKey(secret) }
}

/**
 * Seals with AES-256-GCM. Purpose and name are additional data, so bytes that were moved to
 * another name do not open. Layout: format, key id, nonce, ciphertext, tag.
 */
export function seal(
  key: SealKey,
  purpose: Purpose,
  name: string,
  plaintext: Uint8Array,
  nonce: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', key.secret, nonce)
  cipher.setAAD(additionalData(purpose, name))
  // In memory of its own: out of the pool that buffers share, whoever keeps it keeps its neighbours,
  // which are what was only needed to make it, and take twice as much.
  const sealed = Buffer.allocUnsafeSlow(HEADER_LENGTH + plaintext.length + TAG_LENGTH)
  sealed[0] = FORMAT
  sealed.set(key.id, 1)
  sealed.set(nonce, 1 + ID_LENGTH)
  sealed.set(cipher.update(plaintext), HEADER_LENGTH)
  // In this mode nothing is left for the end.
  cipher.final()
  sealed.set(cipher.getAuthTag(), HEADER_LENGTH + plaintext.length)
  return sealed
}

/** The id of the key that sealed these bytes, or nothing where they are not of our format. */
export function sealedWith(sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < HEADER_LENGTH + TAG_LENGTH || sealed[0] !== FORMAT) return undefined
  return sealed.subarray(1, 1 + ID_LENGTH)
}

/** Opens what {@link seal} made, or answers nothing: truncated, tampered with, or moved. */
export function open(
  secret: KeyObject,
  purpose: Purpose,
  name: string,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const decipher = createDecipheriv(
    'aes-256-gcm',
    secret,
    sealed.subarray(1 + ID_LENGTH, HEADER_LENGTH),
  )
  decipher.setAAD(additionalData(purpose, name))
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_LENGTH))
  const first = decipher.update(sealed.subarray(HEADER_LENGTH, sealed.length - TAG_LENGTH))
  try {
    const last = decipher.final()
    return last.length === 0 ? first : Buffer.concat([first, last])
  } catch {
    // The only error `final` knows is a tag that does not fit: absence, not an accident.
    return undefined
  }
}

function additionalData(purpose: Purpose, name: string): Uint8Array {
  return Buffer.from(`coatcheck\0${purpose}\0${name}`)
}
