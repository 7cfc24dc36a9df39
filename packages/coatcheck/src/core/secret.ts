import { timingSafeEqual } from 'node:crypto'
import type { Environment } from './environment.ts'

/** A fresh text that nobody can guess: 256 bits, as 43 characters of base64url. */
export function newSecret({ random }: Pick<Environment, 'random'>): string {
  return Buffer.from(random(32)).toString('base64url')
}

/** Whether two are equal, in a time that does not tell where they begin to differ. */
export function isSameSecret(a: string | Uint8Array, b: string | Uint8Array): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
