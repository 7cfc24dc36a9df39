/** One cookie a browser keeps. */
export interface Cookie {
  readonly name: string
  readonly value: string
  /** The host it goes back to. */
  readonly domain: string
  /** `true`: to that host only, not to those below it. */
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: 'Strict' | 'Lax' | 'None'
  /** Milliseconds since the epoch; `undefined` ends with the browser. */
  readonly expiresAt: number | undefined
}

/** What decides which cookies a request carries. */
export interface CookieRequest {
  readonly url: URL
  readonly method: string
  /** The page that caused it is of another site. */
  readonly crossSite: boolean
  /** It fills a frame, not the whole tab. */
  readonly framed: boolean
}

/** Keeps cookies as RFC 6265bis says. */
export interface CookieJar {
  readonly all: readonly Cookie[]
  /** The `Cookie` header of a request; empty where there is none to send. */
  header(request: CookieRequest): string
  /** Takes in one `Set-Cookie` header, or does not, as a browser would. */
  set(header: string, request: CookieRequest): void
  clear(): void
}

/** An empty jar. `thirdParty` lets frames of other sites have their `SameSite=None` cookies. */
export function createCookieJar(now: () => number, thirdParty: boolean): CookieJar {
  let cookies: Cookie[] = []
  const living = (): Cookie[] =>
    cookies.filter(({ expiresAt }) => expiresAt === undefined || now() < expiresAt)

  const allowed = (cookie: Cookie, { method, crossSite, framed }: CookieRequest): boolean => {
    if (!crossSite) return true
    if (framed) return thirdParty && cookie.sameSite === 'None'
    if (cookie.sameSite === 'Lax') return ['GET', 'HEAD'].includes(method)
    return cookie.sameSite === 'None'
  }

  return {
    get all() {
      return living()
    },
    header: (request) =>
      living()
        .filter((cookie) => reaches(cookie, request.url) && allowed(cookie, request))
        .sort((one, other) => other.path.length - one.path.length)
        .map(({ name, value }) => `${name}=${value}`)
        .join('; '),
    set: (header, request) => {
      const cookie = parse(header, request.url, now())
      if (!cookie || (request.framed && request.crossSite && !allowed(cookie, request))) return
      cookies = living().filter((known) => !isSame(known, cookie))
      cookies.push(cookie)
    },
    clear: () => {
      cookies = []
    },
  }
}

/** Whether a host is this machine, which counts as secure over plain HTTP. */
function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

function reaches({ domain, hostOnly, path, secure }: Cookie, url: URL): boolean {
  if (secure && url.protocol !== 'https:' && !isLoopback(url.hostname)) return false
  if (hostOnly ? url.hostname !== domain : !isBelow(url.hostname, domain)) return false
  const folder = path.endsWith('/') ? path : `${path}/`
  return url.pathname === path || url.pathname.startsWith(folder)
}

function isBelow(hostname: string, domain: string): boolean {
  return hostname === domain || hostname.endsWith(`.${domain}`)
}

function isSame(one: Cookie, other: Cookie): boolean {
  return (
    one.name === other.name &&
    one.domain === other.domain &&
    one.hostOnly === other.hostOnly &&
    one.path === other.path
  )
}

function parse(header: string, url: URL, now: number): Cookie | undefined {
  const [pair = '', ...rest] = header.split(';')
  const cut = pair.indexOf('=')
  const name = pair.slice(0, Math.max(cut, 0)).trim()
  const attributes = new Map(
    rest.map((part): [string, string] => {
      const [key = '', ...value] = part.split('=')
      return [key.trim().toLowerCase(), value.join('=').trim()]
    }),
  )
  const domain = attributes.get('domain')?.replace(/^\./, '').toLowerCase() || undefined
  const path = attributes.get('path')
  const cookie: Cookie = {
    name,
    value: pair.slice(cut + 1).trim(),
    domain: domain ?? url.hostname,
    hostOnly: domain === undefined,
    path: path?.startsWith('/') ? path : defaultPath(url.pathname),
    secure: attributes.has('secure'),
    httpOnly: attributes.has('httponly'),
    sameSite: sameSiteOf(attributes.get('samesite')),
    expiresAt: expiryOf(attributes, now),
  }
  return name !== '' && isAcceptable(cookie, url) ? cookie : undefined
}

function isAcceptable(cookie: Cookie, url: URL): boolean {
  const { name, secure, domain, hostOnly, path, sameSite } = cookie
  if (secure && url.protocol !== 'https:' && !isLoopback(url.hostname)) return false
  if (!isBelow(url.hostname, domain)) return false
  if (sameSite === 'None' && !secure) return false
  if (/^__Secure-/i.test(name) && !secure) return false
  return !/^__Host-/i.test(name) || (secure && hostOnly && path === '/')
}

function sameSiteOf(value: string | undefined): Cookie['sameSite'] {
  const known: Record<string, Cookie['sameSite']> = { strict: 'Strict', none: 'None' }
  return known[value?.toLowerCase() ?? ''] ?? 'Lax'
}

/** `Max-Age` is stronger than `Expires`. */
function expiryOf(attributes: Map<string, string>, now: number): number | undefined {
  const maxAge = attributes.get('max-age')
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return now + Number(maxAge) * 1000
  const expires = Date.parse(attributes.get('expires') ?? '')
  return Number.isNaN(expires) ? undefined : expires
}

function defaultPath(pathname: string): string {
  return pathname.slice(0, Math.max(pathname.lastIndexOf('/'), 1))
}
