import type { AuthErrorCode } from '../../errors.ts'

/** A JSON problem body (RFC 9457) that says what happened by its code, and no more. */
export function problem(
  status: number,
  code: AuthErrorCode,
  title: string,
  extra: Readonly<Record<string, unknown>> = {},
): Response {
  return new Response(
    JSON.stringify({ type: `urn:coatcheck:${code}`, title, status, code, ...extra }),
    {
      status,
      headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    },
  )
}
