import type { Auth, AuthEvent } from 'coatcheck'
import type { LookingGlass } from './looking-glass.ts'
import { people } from './provider-pages.ts'

/** What one process sees of its token cache right now. Nothing in it is a token. */
export interface CacheView {
  readonly process: string
  readonly pid: number
  readonly sessions: readonly SessionView[]
  readonly events: readonly HeardEvent[]
}

/** One session and the kinds of tokens it holds. */
export interface SessionView {
  readonly handle: string
  readonly who: string
  readonly expiresAt: number
  readonly holds: readonly Held[]
}

/** One token, without the token. */
export interface Held {
  readonly kind: 'access_token' | 'refresh_token' | 'id_token'
  readonly resource?: string | undefined
  readonly expiresAt?: number | undefined
}

/** An event and when this process heard of it, in milliseconds since the epoch. */
export interface HeardEvent {
  readonly at: number
  readonly event: AuthEvent
}

/** Collects what `observe` hears. */
export interface EventFeed {
  readonly events: HeardEvent[]
  observe(event: AuthEvent): void
}

export function eventFeed(): EventFeed {
  const events: HeardEvent[] = []
  return {
    events,
    observe(event) {
      events.push({ at: Date.now(), event })
      if (events.length > 60) events.shift()
    },
  }
}

/** What the cache holds, as this process sees it, and what it heard, the latest first. */
export async function cacheView(
  process: { readonly name: string; readonly pid: number },
  auth: Auth,
  glass: LookingGlass,
  feed: EventFeed,
): Promise<CacheView> {
  const found = await Promise.all(people.map(({ id }) => auth.sessions({ subject: id })))
  const sessions: SessionView[] = []
  for (const { handle, subject, expiresAt } of found.flat()) {
    const holds = await glass.look(handle)
    // Removed between the two looks: then it is not held.
    if (holds !== undefined) sessions.push({ handle, who: subject, expiresAt, holds })
  }
  return { process: process.name, pid: process.pid, sessions, events: feed.events.toReversed() }
}
