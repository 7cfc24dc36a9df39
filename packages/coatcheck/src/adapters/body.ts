import { AuthError } from '../errors.ts'

/** No provider posts more: a logout token is at most 16 KiB, a `form_post` answer less. */
const BODY_LIMIT = 64 * 1024

/**
 * Reads a body of at most 64 KiB. A larger one is `request_too_large`: before reading where its
 * length was declared, otherwise as soon as it is seen, and nothing more of it is kept. The
 * iteration must leave the stream open when it is left, or the connection goes before the answer.
 */
export async function readBody(
  chunks: AsyncIterable<Uint8Array>,
  declaredLength: string | null | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(declaredLength ?? 0) > BODY_LIMIT) throw tooLarge()
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
  if (parsed instanceof Uint8Array) return new Uint8Array(parsed)
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
