/** How a cookie of ours is written; removing one uses the same attributes. */
export interface CookieAttributes {
  readonly secure: boolean
  readonly sameSite: 'Lax' | 'None'
}

/** One cookie of a request. */
export interface Cookie {
  readonly name: string
  readonly value: string
}

/** The cookies whose name begins with `prefix`, in the order they came, doubles included. */
export function cookiesOf(header: string | undefined, prefix: string): Cookie[] {
  const found: Cookie[] = []
  if (header === undefined || !header.includes(prefix)) return found
  for (const part of header.split(';')) {
    const at = part.indexOf('=')
    const name = part.slice(0, at).trim()
    if (at > 0 && name.startsWith(prefix)) found.push({ name, value: part.slice(at + 1).trim() })
  }
  return found
}

/** A `Set-Cookie` line (RFC 6265): whole host, not for scripts. */
export function setCookie(
  name: string,
  value: string,
  maxAgeSeconds: number,
  { secure, sameSite }: CookieAttributes,
): string {
  const flags = `Path=/; HttpOnly; SameSite=${sameSite}${secure ? '; Secure' : ''}`
  return `${name}=${value}; Max-Age=${maxAgeSeconds}; ${flags}`
}

/** A `Set-Cookie` line that removes what {@link setCookie} wrote. */
export function removeCookie(name: string, attributes: CookieAttributes): string {
  return setCookie(name, '', 0, attributes)
}
