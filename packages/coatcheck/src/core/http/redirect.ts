/**
 * 303: the browser follows with GET and takes no body along (RFC 9700 section 4.12). No referrer,
 * since the address it comes from may hold a code or a state.
 */
export function redirect(location: string, cookies: readonly string[] = []): Response {
  const headers = new Headers({
    location,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  })
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  return new Response(null, { status: 303, headers })
}
