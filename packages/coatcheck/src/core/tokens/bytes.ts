/** Whether two runs of bytes are equal. For ciphertext; what is secret is compared by `isSameSecret`. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
