import { AuthError } from '../../errors.ts'
import { readBody } from './body.ts'

/** The fields of a posted form. Rejects `media_type_unsupported` and `request_too_large`. */
export async function readForm(request: Request): Promise<URLSearchParams> {
  const mediaType = (request.headers.get('content-type') ?? '').split(';', 1)[0] ?? ''
  if (mediaType.trim().toLowerCase() !== 'application/x-www-form-urlencoded') {
    throw new AuthError('media_type_unsupported', 'The body is not a URL-encoded form.')
  }
  const body = request.body === null ? new Uint8Array() : await readBody(request.body)
  return new URLSearchParams(new TextDecoder().decode(body))
}

/** The value of a parameter that must not come twice. Throws `request_invalid` where it does. */
export function single(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name)
  if (values.length > 1) throw new AuthError('request_invalid', `The parameter ${name} came twice.`)
  return values[0]
}
