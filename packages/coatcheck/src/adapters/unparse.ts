import { BODY_LIMIT, tooLarge } from '../core/http/body.ts'

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
