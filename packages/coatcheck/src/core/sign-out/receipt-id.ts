import type { Context } from '../context.ts'

/** A fresh name for a removal. */
export function newReceiptId({ environment }: Pick<Context, 'environment'>): string {
  return Buffer.from(environment.random(12)).toString('base64url')
}
