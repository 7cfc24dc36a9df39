/**
 * What a driver asked of many processes and what it was told, in the order of its own clock: the
 * number of an event. Two things are in order only where the one was answered before the other was
 * asked; everything else may have happened either way.
 */
export interface History {
  /** The number of the next event. */
  tick(): number
  /** A browser got a ticket. */
  signedIn(session: NewSession): KnownSession
  /** Somebody asks for a sign-out. Whoever asked says how it ended; a killed process is `unknown`. */
  signOutAsked(order: NewSignOut): SignOut
  signOutEnded(signOut: SignOut, outcome: 'done' | 'unknown'): void
  /** A process was asked about a session at `askedAt`, and has now answered. */
  looked(session: KnownSession, askedAt: number, seen: 'served' | 'out', by: string): void
  /** Something a process said of a session, if its browser has the ticket already. */
  happened(handle: string, text: string): void
  /** Something the driver knows about the fate of a session, for the reader of a violation. */
  note(session: KnownSession, text: string): void
  readonly sessions: readonly KnownSession[]
  readonly signOuts: readonly SignOut[]
  readonly violations: Violation[]
  /** Sessions that were seen to be over although nobody signed them out: each once. */
  takeLost(): KnownSession[]
}

/** What is known of a session when its browser has the ticket. */
export interface NewSession {
  readonly user: string
  readonly sid: string
  /** The `Cookie` header. */
  readonly cookie: string
  readonly handle: string
  /** When its sign-in began: by the driver's clock, and in milliseconds since the epoch. */
  readonly beganAt: number
  readonly beganMilliseconds: number
}

/** One session, and what became of it. */
export interface KnownSession extends NewSession {
  readonly number: number
  readonly signedInAt: number
  readonly signedInMilliseconds: number
  /** From then on nobody may be served by it, and why. */
  over: { readonly at: number; readonly why: string } | undefined
  readonly notes: string[]
}

/** A sign-out about to be asked for. */
export interface NewSignOut {
  readonly how: SignOutWay
  readonly user: string
  /** Only this provider session; absent: all of the user. */
  readonly sid?: string
  /** Of a logout token, in milliseconds: it ends what the provider established until then. */
  readonly issuedAt?: number
}

/** All ways in which the driver signs somebody out. */
export type SignOutWay =
  | 'back-channel by sid'
  | 'back-channel by subject'
  | 'front-channel'
  | 'by the user'
  | 'administrator by session'
  | 'administrator by sid'
  | 'administrator by subject'

/** One sign-out. */
export interface SignOut extends NewSignOut {
  readonly number: number
  readonly askedAt: number
  endedAt: number | undefined
  outcome: 'done' | 'unknown' | undefined
  /** Where it was asked. */
  process: string | undefined
  /** The process said that it will do it later. */
  deferred: boolean
}

/** A broken promise, with all that is known about it. */
export interface Violation {
  readonly promise: string
  readonly story: readonly string[]
}

/** Nothing has happened yet. */
export function createHistory(): History {
  let events = 0
  const tick = (): number => ++events
  const sessions: KnownSession[] = []
  const signOuts: SignOut[] = []
  const ofUser = new Map<string, { sessions: KnownSession[]; signOuts: SignOut[] }>()
  const ofHandle = new Map<string, KnownSession>()
  const violations: Violation[] = []
  const lost = new Set<KnownSession>()
  const about = (user: string) => {
    const known = ofUser.get(user) ?? { sessions: [], signOuts: [] }
    ofUser.set(user, known)
    return known
  }
  const note = (session: KnownSession, text: string): void => {
    session.notes.push(`${events}: ${text}`)
    // The beginning and the end are what counts.
    if (session.notes.length > 40) session.notes.splice(10, 1)
  }

  return {
    tick,
    sessions,
    signOuts,
    violations,
    note,
    happened(handle, text) {
      const session = ofHandle.get(handle)
      if (session !== undefined) note(session, text)
    },
    signedIn(given) {
      const session: KnownSession = {
        ...given,
        number: sessions.length + 1,
        signedInAt: tick(),
        signedInMilliseconds: Date.now(),
        over: undefined,
        notes: [],
      }
      sessions.push(session)
      ofHandle.set(session.handle, session)
      about(session.user).sessions.push(session)
      note(session, `signed in, begun at ${session.beganAt}`)
      return session
    },
    signOutAsked(order) {
      const signOut: SignOut = {
        ...order,
        number: signOuts.length + 1,
        askedAt: tick(),
        endedAt: undefined,
        outcome: undefined,
        process: undefined,
        deferred: false,
      }
      signOuts.push(signOut)
      about(order.user).signOuts.push(signOut)
      return signOut
    },
    signOutEnded(signOut, outcome) {
      signOut.endedAt = tick()
      signOut.outcome = outcome
      for (const session of about(signOut.user).sessions) {
        const ends = endOf(signOut, session)
        if (ends === 'no') continue
        const { how, number, askedAt } = signOut
        note(session, `sign-out ${number} (${how}), asked at ${askedAt}: ${outcome}, ${ends}`)
        if (ends === 'surely') session.over ??= { at: signOut.endedAt, why: `sign-out ${number}` }
      }
    },
    looked(session, askedAt, seen, by) {
      const at = tick()
      const { over } = session
      if (seen === 'served') {
        note(session, `served by ${by}, asked at ${askedAt}`)
        if (over !== undefined && over.at < askedAt) {
          violations.push({
            promise: `served although it was over since ${over.at} (${over.why})`,
            story: storyOf(session),
          })
        }
        return
      }
      if (over !== undefined) return
      note(session, `over, as ${by} says, asked at ${askedAt}`)
      session.over = { at, why: `${by} said so` }
      const { signOuts } = about(session.user)
      if (signOuts.every((signOut) => endOf(signOut, session) === 'no')) lost.add(session)
    },
    takeLost() {
      const taken = [...lost]
      lost.clear()
      return taken
    },
  }
}

/** Whether a sign-out ends a session: one that never was answered may do so at any time. */
export function endOf(signOut: SignOut, session: KnownSession): 'surely' | 'perhaps' | 'no' {
  if (signOut.user !== session.user) return 'no'
  if (signOut.sid !== undefined && signOut.sid !== session.sid) return 'no'
  if (signOut.outcome === 'done' && session.signedInAt < signOut.askedAt) return 'surely'
  const wasThere = session.beganAt < (signOut.endedAt ?? Number.POSITIVE_INFINITY)
  // A provider's clock ticks once a second: what it established in the same second is covered too.
  const second = Math.floor(session.beganMilliseconds / 1000) * 1000
  return wasThere || second <= (signOut.issuedAt ?? 0) ? 'perhaps' : 'no'
}

/** All that is known about a session. */
export function storyOf(session: KnownSession): string[] {
  const { number, user, sid, handle, notes } = session
  return [`session ${number} of ${user}, sid ${sid}, handle ${handle}`, ...notes]
}
