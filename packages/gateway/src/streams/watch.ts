import type { Auth } from 'coatcheck'
import type { Logger } from '../server/log.ts'
import type { OpenSession, OpenStreams } from './open-streams.ts'

/** Asks from time to time whether the sessions with something open still stand. */
export interface Watch {
  stop(): void
}

/**
 * Closes what belongs to a session that ended in another process, within the bound. The list of a
 * user's sessions is asked, since that does not count as the user's activity.
 *
 * While the store does not answer nobody knows, and what could not be confirmed within the bound is
 * closed as well: an open stream is served like a request, and those get 503 then. That signs
 * nobody out; a client opens its stream again once the store is back. A shorter outage closes
 * nothing, since it is asked twice within the bound.
 */
export function watchStreams(
  auth: Pick<Auth, 'sessions'>,
  streams: OpenStreams,
  checkSeconds: number,
  logger: Logger,
  now: () => number = Date.now,
): Watch {
  const bound = checkSeconds * 1000
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  /** One question for each user, whatever they have open. */
  async function check(): Promise<void> {
    const due = bySubject(streams.owners(), now() - bound / 4)
    for (const [subject, sessions] of due) {
      const askedAt = now()
      let handles: ReadonlySet<string> | undefined
      try {
        handles = new Set((await auth.sessions({ subject })).map(({ handle }) => handle))
      } catch {
        // The store has been told of by the library's own event.
      }
      for (const session of sessions) settle(session, handles, askedAt)
      if (isStopped) return
    }
  }

  function settle(
    session: OpenSession,
    handles: ReadonlySet<string> | undefined,
    askedAt: number,
  ): void {
    if (handles?.has(session.handle)) {
      session.confirmedAt = askedAt
    } else if (handles !== undefined) {
      streams.end(session.handle)
    } else if (now() - session.confirmedAt >= bound) {
      logger.warn('streams_closed_blind')
      streams.close(session.handle)
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      check()
        .catch((error: unknown) => {
          logger.error('stream_check_failed', { reason: String((error as Error)?.name) })
        })
        .finally(() => {
          if (!isStopped) schedule()
        })
    }, bound / 2)
    timer.unref()
  }

  schedule()
  return {
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

/** Those that were not confirmed since; most requests are over before they are ever asked about. */
function bySubject(
  owners: Iterable<OpenSession>,
  since: number,
): ReadonlyMap<string, readonly OpenSession[]> {
  const found = new Map<string, OpenSession[]>()
  for (const session of owners) {
    if (session.confirmedAt > since) continue
    const others = found.get(session.subject)
    if (others === undefined) found.set(session.subject, [session])
    else others.push(session)
  }
  return found
}
