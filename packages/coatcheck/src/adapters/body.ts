import { AuthError } from '../errors.ts'

/** No provider posts more: a logout token is at most 16 KiB, a `form_post` answer less. */
const BODY_LIMIT = 64 * 1024

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
  const kept: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of chunks) {
      size += chunk.length
      if (size > BODY_LIMIT) throw tooLarge()
      kept.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof AuthError) throw cause
    throw new AuthError('request_invalid', 'The request body broke off.', { cause })
  }
  return new Uint8Array(Buffer.concat(kept))
}

/**
 * What a body parser left, as the body it was. A repeated parameter stays repeated, so that the
 * core still refuses it; nested values are dropped, since no parameter of ours is written `a[b]`.
 */
export function unparse(parsed: unknown): Uint8Array<ArrayBuffer> | undefined {
  const body = parsed instanceof Uint8Array ? new Uint8Array(parsed) : encode(parsed)
  if (body !== undefined && body.length > BODY_LIMIT) throw tooLarge()
  return body
}

function encode(parsed: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (typeof parsed === 'string') return new TextEncoder().encode(parsed)
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(parsed)) {
    for (const one of [value].flat()) {
      if (typeof one !== 'object') form.append(name, String(one))
    }
  }
  return new TextEncoder().encode(form.toString())
}

function tooLarge(): AuthError {
  return new AuthError('request_too_large', 'The request body is larger than 64 KiB.')
}
