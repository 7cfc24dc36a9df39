import { AuthError } from '../../errors.ts'
import { readAtMost } from './bounded.ts'

/** In bytes. No provider posts more: a logout token is at most 16 KiB, a `form_post` answer less. */
export const BODY_LIMIT: number = 64 * 1024

/** Refuses a body that is declared too large, before anything of it is read. */
export function refuseDeclared(contentLength: string | null | undefined): void {
  if (Number(contentLength ?? 0) > BODY_LIMIT) throw tooLarge()
}

/**
 * Reads a body of at most 64 KiB. A larger one is `request_too_large` as soon as it is seen, and
 * nothing more of it is kept.
 */
export async function readBody(
  chunks: AsyncIterable<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  const body = await readAtMost(BODY_LIMIT, chunks).catch((cause: unknown) => {
    throw new AuthError('request_invalid', 'The request body broke off.', { cause })
  })
  if (body === undefined) throw tooLarge()
  return body
}

/** The error for a body above {@link BODY_LIMIT}. */
export function tooLarge(): AuthError {
  return new AuthError('request_too_large', 'The request body is larger than 64 KiB.')
}
