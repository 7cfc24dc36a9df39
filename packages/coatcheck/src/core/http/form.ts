import { AuthError } from '../../errors.ts'

/** No provider posts more: a logout token is at most 16 KiB, a `form_post` answer less. */
const BODY_LIMIT = 64 * 1024

/** The fields of a posted form. Rejects `media_type_unsupported` and `request_too_large`. */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const mediaType = (request.headers.get('content-type') ?? '').split(';', 1)[0] ?? ''
  if (mediaType.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new AuthError('media_type_unsupported', 'The body is not a URL-encoded form.')
  }
  return new URLSearchParams(await readText(request))
}

/** The value of a parameter that must not come twice. Throws `request_invalid` where it does. */
export function single(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name)
  if (values.length > 1) throw new AuthError('request_invalid', `The parameter ${name} came twice.`)
  return values[0]
}

async function readText(request: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > BODY_LIMIT) throw new AuthError('request_too_large', 'The body is too large.')
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}
