import { handleOf, sessionIdOfTicket } from '#coatcheck/core/session/ticket'
import type { Page } from '#coatcheck/testing/browser'
import { ORIGIN } from '../support/application.ts'
import { openBrowser } from './browsers.ts'
import type { Attempt, Seat, World } from './world.ts'

/** A user signs in with a new browser. `false`: it came to nothing. */
export async function signIn(world: World, seat: Seat): Promise<boolean> {
  const { history, provider } = world
  const { user } = seat
  const attempt: Attempt = {
    user,
    began: Date.now(),
    ended: undefined,
    sid: undefined,
    code: undefined,
    callback: undefined,
    succeeded: false,
    failure: undefined,
  }
  world.attempts.push(attempt)
  const beganAt = history.tick()
  const browser = openBrowser(world)
  browser.listener.asked = ({ pathname, searchParams }, member) => {
    if (pathname !== '/auth/callback') return
    attempt.callback = member.name
    attempt.code = searchParams.get('code') ?? undefined
    attempt.sid = provider.issued.findLast(({ value }) => value === attempt.code)?.sid
  }
  let page: Page | undefined
  try {
    page = await browser.get(`${ORIGIN}/auth/sign-in?login_hint=${user}`)
  } catch (error) {
    // A process died, or the provider is down.
    attempt.failure = String(error)
  }
  if (page !== undefined && page.status >= 400) attempt.failure = `${page.status} ${page.text}`
  attempt.ended = Date.now()
  const ticket = browser.cookies.find(({ name }) => name === COOKIE)?.value
  if (ticket === undefined || attempt.sid === undefined) {
    world.failed += 1
    return false
  }
  attempt.succeeded = true
  world.served += 1
  seat.browser = browser
  seat.session = history.signedIn({
    user,
    sid: attempt.sid,
    cookie: `${COOKIE}=${ticket}`,
    handle: handleOf(sessionIdOfTicket(ticket)),
    beganAt,
    beganMilliseconds: attempt.began,
  })
  return true
}

const COOKIE = '__Host-coatcheck'
