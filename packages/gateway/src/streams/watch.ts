import { setImmediate as letOthersIn } from 'node:timers/promises'
import type { Auth } from 'coatcheck'
import type { Logger } from '../server/log.ts'
import type { OpenSession, OpenStreams } from './open-streams.ts'

/** Asks from time to time whether the sessions with something open still stand. */
export interface Watch {
  stop(): void
}

/** Questions that wait for the store at once: it has requests to answer too. */
const AT_ONCE = 32

/**
 * Closes what belongs to a session that ended in another process, within the bound. Each session is
 * asked about by itself, by its handle, when half of the bound has gone by since it was last known
 * to stand; that does not count as the user's activity.
 *
 * **The bound holds whatever the store does, and however many sessions have something open**: ten
 * times within it all are looked at, and what would be beyond it at the next look is closed, asked
 * about or not. A session that ended was confirmed before, at the latest when it ended, so what it
 * has open is gone a bound after that. All are confirmed, and nothing is closed for want of an
 * answer, as long as the store has some three tenths of the bound for every session that falls due
 * at once: 1.5 seconds by default, which is {@link AT_ONCE} × 1,500 sessions where it takes a
 * millisecond for one, even if all of them came in the same moment.
 *
 * What is closed without an answer signs nobody out: an open stream is served like a request, and
 * those get 503 while the store is away. A client opens its stream again once it is back. An outage
 * of less than those three tenths closes nothing.
 */
export function watchStreams(
  auth: Pick<Auth, 'sessions'>,
  streams: OpenStreams,
  checkSeconds: number,
  logger: Logger,
): Watch {
  const bound = checkSeconds * 1000
  const pause = bound / 10
  let lookedAt = Date.now()
  let blindFrom = 0
  let isAsking = false
  let isStopped = false

  function look(): void {
    const at = Date.now()
    // Suspended or overloaded: the bound is broken already, and asking comes before closing again.
    if (at - lookedAt > bound / 2) blindFrom = at + bound / 2
    lookedAt = at
    if (at >= blindFrom) closeBlind(at)
    if (isAsking) return
    const due = [...streams.owners()].filter(({ confirmedAt }) => at - confirmedAt >= bound / 2)
    if (due.length === 0) return
    isAsking = true
    void askAll(due).finally(() => {
      isAsking = false
    })
  }

  function closeBlind(at: number): void {
    let closed = 0
    for (const { handle, confirmedAt } of streams.owners()) {
      if (at + pause - confirmedAt <= bound) continue
      streams.close(handle)
      closed += 1
    }
    if (closed > 0) logger.warn('streams_closed_blind', { sessions: closed })
  }

  async function askAll(due: readonly OpenSession[]): Promise<void> {
    const left = due.values()
    const asking = Array.from({ length: Math.min(AT_ONCE, due.length) }, async () => {
      for (const session of left) {
        if (isStopped) return
        await ask(session)
        // A store in this process answers at once, and requests wait meanwhile.
        await letOthersIn()
      }
    })
    await Promise.all(asking)
  }

  async function ask(session: OpenSession): Promise<void> {
    const askedAt = Date.now()
    try {
      const [standing] = await auth.sessions({ session: session.handle })
      if (standing === undefined) streams.end(session.handle)
      else session.confirmedAt = askedAt
    } catch {
      // The store has been told of by the library's own event, and is asked again at the next look.
    }
  }

  const timer = setInterval(look, pause)
  timer.unref()
  return {
    stop() {
      isStopped = true
      clearInterval(timer)
    },
  }
}
