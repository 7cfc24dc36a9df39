import { hash } from 'node:crypto'
import type { HasHeaders } from '../../auth.ts'
import type { Configuration } from '../../configuration.ts'
import { type CookieAttributes, onlyCookie } from '../http/cookies.ts'
import { headerOf } from '../http/headers.ts'

/** Session ids begin so in the store; a handle is the rest. */
const PREFIX = 's.'
/** Tickets and handles alike: 256 bits in base64url. */
const SHAPE = /^[\w-]{43}$/

/** What the cookies of this deployment are called; the session's has no suffix. */
export function cookieName({ cookie }: Pick<Configuration, 'cookie'>, suffix = ''): string {
  return `${cookie}${suffix}`
}

/**
 * How all their names begin. `__Host-` binds a cookie to https, this very host and the whole path.
 * On plain http on loopback the port takes its part, since browsers do not keep cookies of
 * different ports apart.
 */
export function cookieBase({ protocol, port }: URL): string {
  return protocol === 'https:' ? '__Host-coatcheck' : `coatcheck${port && `-${port}`}`
}

/** How the session cookie is written. */
export function sessionCookieAttributes({
  secure,
}: Pick<Configuration, 'secure'>): CookieAttributes {
  return { secure, sameSite: 'Lax' }
}

/**
 * The id of the session a request's cookie stands for. Two cookies of our name are nobody's:
 * one of them may have been planted by a sibling host.
 */
export function sessionIdOf(request: HasHeaders, name: string): string | undefined {
  return sessionIdIn(headerOf(request, 'cookie'), name)
}

/**
 * The same, for requests that are asked about twice in a row, as most are: what the last `Cookie`
 * header stood for is not hashed again. (To remember it by request, in a `WeakMap`, takes longer
 * than to hash.)
 */
export function rememberLastTicket(name: string): (request: HasHeaders) => string | undefined {
  let lastCookie: string | undefined
  let lastId: string | undefined
  return (request) => {
    const cookie = headerOf(request, 'cookie')
    if (cookie === lastCookie) return lastId
    lastCookie = cookie
    lastId = sessionIdIn(cookie, name)
    return lastId
  }
}

function sessionIdIn(header: string | undefined, name: string): string | undefined {
  const ticket = onlyCookie(header, name)
  return ticket !== undefined && SHAPE.test(ticket) ? sessionIdOfTicket(ticket) : undefined
}

/** The store knows only the hash of a ticket: whoever reads the store cannot sign in. */
export function sessionIdOfTicket(ticket: string): string {
  return PREFIX + hash('sha256', ticket, 'base64url')
}

/** Whether a store id is a session's; other records have other prefixes. */
export function isSessionId(id: string): boolean {
  return id.startsWith(PREFIX)
}

/** The public name of a session: its store id without the prefix. Nobody can make a ticket of it. */
export function handleOf(id: string): string {
  return id.slice(PREFIX.length)
}

/** The store id of the session with this handle. */
export function sessionIdOfHandle(handle: string): string {
  return PREFIX + handle
}

/** Whether a text can be a handle, and is not, say, a whole cookie. */
export function isHandle(text: string): boolean {
  return SHAPE.test(text)
}
