import { randomUUID } from 'node:crypto'

/** Somebody who can sign in. */
export interface ProviderUser {
  sub: string
  /** The `sid` of the sessions of this user: given, random (the default), or `null` for none. */
  sid?: string | null | undefined
  /** Claims of UserInfo and the ID token. */
  claims?: Readonly<Record<string, unknown>> | undefined
}

/** One browser that is signed in at the provider. */
export interface ProviderSession {
  /** The value of the browser's cookie. */
  readonly cookie: string
  readonly sub: string
  readonly sid: string | undefined
  readonly claims: Readonly<Record<string, unknown>>
  /** Seconds since the epoch. */
  authTime: number
  /** The applications it signed in to. */
  readonly clients: Set<string>
  ended: boolean
}

/** The sessions of a provider. */
export interface ProviderSessions {
  readonly all: readonly ProviderSession[]
  /** The live session a browser's cookie names. */
  byCookie(cookie: string | undefined): ProviderSession | undefined
  /** The newest live session with that `sid`, otherwise the newest of all. */
  bySid(sid: string): ProviderSession | undefined
  /** Opens a session, or finds the live one that already has the user's own `sid`. */
  open(user: ProviderUser, authTime: number): ProviderSession
}

/** Nobody is signed in. */
export function createSessions(): ProviderSessions {
  const all: ProviderSession[] = []
  const newest = (matches: (session: ProviderSession) => boolean): ProviderSession | undefined =>
    all.findLast((session) => !session.ended && matches(session)) ?? all.findLast(matches)

  return {
    all,
    byCookie: (cookie) => all.find((session) => session.cookie === cookie && !session.ended),
    bySid: (sid) => newest((session) => session.sid === sid),
    open: (user, authTime) => {
      const { sub, sid = randomUUID(), claims } = user
      const open = all.find(
        (session) => !session.ended && session.sub === sub && session.sid === sid,
      )
      if (open) return open
      const session: ProviderSession = {
        cookie: randomUUID(),
        sub,
        sid: sid ?? undefined,
        claims: claims ?? {
          name: `User ${sub}`,
          preferred_username: sub,
          email: `${encodeURIComponent(sub)}@provider.test`,
          email_verified: true,
        },
        authTime,
        clients: new Set(),
        ended: false,
      }
      all.push(session)
      return session
    },
  }
}
