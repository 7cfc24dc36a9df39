import { hash } from 'node:crypto'
import type { HasHeaders } from '../../auth.ts'
import type { Configuration } from '../../configuration.ts'
import type { Environment } from '../environment.ts'
import { type CookieAttributes, onlyCookie } from '../http/cookies.ts'
import { headerOf } from '../http/headers.ts'
import { createRecent } from '../recent.ts'

/** Session ids begin so in the store; a handle is the rest. */
const PREFIX = 's.'
/** Tickets and handles alike: 256 bits in base64url. */
const SHAPE = /^[\w-]{43}$/

/** So many tickets are remembered, some 200 bytes each. */
const MOST_TICKETS = 20_000

/** What requests' cookies stand for, as far as they came a moment ago. */
export interface RememberedTickets {
  sessionIdOf(request: HasHeaders): string | undefined
  forgetAll(): void
}

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

/** The same, without hashing again what came a moment ago. */
export function rememberTickets(
  environment: Pick<Environment, 'wait'>,
  name: string,
): RememberedTickets {
  const ids = createRecent<string>(environment, { most: MOST_TICKETS })

  return {
    sessionIdOf(request) {
      const ticket = ticketIn(headerOf(request, 'cookie'), name)
      if (ticket === undefined) return undefined
      const before = ids.get(ticket)
      if (before !== undefined) return before
      const id = sessionIdOfTicket(ticket)
      // A copy: the ticket is a part of its header, which would stay with it.
      ids.set(Buffer.from(ticket).toString(), id, 1)
      return id
    },
    forgetAll: ids.clear,
  }
}

function sessionIdIn(header: string | undefined, name: string): string | undefined {
  const ticket = ticketIn(header, name)
  return ticket && sessionIdOfTicket(ticket)
}

function ticketIn(header: string | undefined, name: string): string | undefined {
  const ticket = onlyCookie(header, name)
  return ticket !== undefined && SHAPE.test(ticket) ? ticket : undefined
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
