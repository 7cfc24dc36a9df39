import { constants, createHmac, type KeyObject, verify } from 'node:crypto'
import { isSameSecret } from '../secret.ts'

/**
 * Whether a signature is of this algorithm, over these bytes, by this key (RFC 7518 section 3,
 * RFC 8037). The key was chosen to fit the algorithm.
 *
 * At once and in this thread: a third of what an awaited WebCrypto call costs, and a flood of
 * sign-outs is a flood of these.
 */
export function signatureVerifies(
  algorithm: string,
  input: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
): boolean {
  const hash = `sha${algorithm.slice(2)}`
  switch (algorithm.slice(0, 2)) {
    case 'RS':
      return verify(hash, input, key, signature)
    case 'PS':
      return verify(hash, input, { key, ...PSS }, signature)
    case 'ES':
      return verify(hash, input, { key, dsaEncoding: 'ieee-p1363' }, signature)
    case 'Ed':
      return verify(null, input, key, signature)
    case 'HS':
      return isSameSecret(createHmac(hash, key).update(input).digest(), signature)
    default:
      return false
  }
}

const PSS = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
}
