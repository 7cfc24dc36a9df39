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

/**
 * The value of the cookie of this name, if the header has exactly one. Every request pays for it, so
 * nothing is cut out of the header but that value.
 */
export function onlyCookie(header: string | undefined, name: string): string | undefined {
  let found: string | undefined
  let at = header?.indexOf(name) ?? -1
  while (header !== undefined && at >= 0) {
    const after = at + name.length
    if (isBlank(header, header.lastIndexOf(';', at) + 1, at)) {
      const equals = header.indexOf('=', after)
      if (equals >= 0 && isBlank(header, after, equals)) {
        if (found !== undefined) return undefined
        const end = header.indexOf(';', equals)
        found = header.slice(equals + 1, end < 0 ? undefined : end).trim()
      }
    }
    at = header.indexOf(name, after)
  }
  return found
}

/** Whether there is nothing there, or what {@link cookiesOf} trims off a name. */
function isBlank(header: string, from: number, to: number): boolean {
  if (from === to || (from + 1 === to && header.charCodeAt(from) === SPACE)) return true
  return header.slice(from, to).trim() === ''
}

const SPACE = 0x20

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
