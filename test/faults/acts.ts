import { decodeJwt } from 'jose'
import { handleOf, sessionIdOfTicket } from '#coatcheck/core/session/ticket'
import { type Page, startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import type { WireResponse } from '../processes/process.ts'
import { ORIGIN } from '../support/application.ts'
import type { Member } from './crew.ts'
import type { KnownSession, NewSignOut, SignOut, SignOutWay } from './history.ts'
import type { Attempt, Seat, World } from './world.ts'

/** What somebody may want to know of a session: who it is, a token, or a token of now. */
export type Look = 'session' | 'accessToken' | 'refresh'

/** Somebody presents a ticket to one of the processes. `false`: it could not say. */
export async function look(world: World, session: KnownSession, wish: Look): Promise<boolean> {
  const { refreshing } = world
  const { number } = session
  const others = refreshing.get(number) ?? 0
  // Whoever waits for a claim of the dead does so for half a minute: not everybody shall.
  const what = wish === 'refresh' && others >= AT_ONCE ? 'session' : wish
  if (what !== 'refresh') return present(world, session, what)
  refreshing.set(number, others + 1)
  try {
    return await present(world, session, what)
  } finally {
    refreshing.set(number, (refreshing.get(number) ?? 1) - 1)
  }
}

const AT_ONCE = 3

async function present(world: World, session: KnownSession, what: Look): Promise<boolean> {
  const { crew, history, availability } = world
  const member = crew.any()
  const { cookie } = session
  const askedAt = history.tick()
  const asked = Date.now()
  const question =
    what === 'session'
      ? ({ ask: 'session', cookie } as const)
      : ({ ask: 'accessToken', cookie, force: what === 'refresh' } as const)
  const answer = await crew.ask(member, question).catch(() => DIED)
  const by = `${member.name} (${what})`
  if (answer === undefined || isError(answer, 'sign_in_required')) {
    history.looked(session, askedAt, 'out', by)
    availability.served(session.number, asked)
    return true
  }
  if (typeof answer !== 'string') {
    world.failed += 1
    history.note(session, `${JSON.stringify(answer)} from ${by}, asked at ${askedAt}`)
    if (isStoreFailure(answer)) availability.failed(session.number, asked)
    return false
  }
  history.looked(session, askedAt, 'served', by)
  world.served += 1
  availability.served(session.number, asked)
  const user = what === 'session' ? answer : decodeJwt(answer).sub
  if (user !== session.user) {
    const story = [`session ${session.number} of ${session.user} was served to ${user} by ${by}`]
    history.violations.push({ promise: 'somebody else was served', story })
  }
  return true
}

/** A user signs in with a new browser, each request going to any process. */
export async function signIn(world: World, seat: Seat): Promise<boolean> {
  const { history, provider } = world
  const attempt: Attempt = {
    ...{ user: seat.user, began: Date.now(), ended: undefined },
    ...{ sid: undefined, callback: undefined, succeeded: false, failure: undefined },
  }
  world.attempts.push(attempt)
  const beganAt = history.tick()
  const browser = browserOf(world, (path, member) => {
    if (path === '/auth/callback') attempt.callback = member.name
  })
  let page: Page | undefined
  try {
    page = await browser.get(`${ORIGIN}/auth/sign-in?login_hint=${seat.user}`)
  } catch (error) {
    // A process died, or the provider is down.
    attempt.failure = String(error)
  }
  if (page !== undefined && page.status >= 400) attempt.failure = `${page.status} ${page.text}`
  attempt.ended = Date.now()
  const callback = browser.history.find(({ url }) => url.includes('/auth/callback?'))
  const code = callback && new URL(callback.url).searchParams.get('code')
  attempt.sid = provider.issued.findLast(({ value }) => value === code)?.sid
  const ticket = browser.cookies.find(({ name }) => name === COOKIE)
  if (page === undefined || ticket === undefined || attempt.sid === undefined) {
    world.failed += 1
    return false
  }
  attempt.succeeded = true
  world.served += 1
  seat.browser = browser
  seat.session = history.signedIn({
    user: seat.user,
    sid: attempt.sid,
    cookie: `${COOKIE}=${ticket.value}`,
    handle: handleOf(sessionIdOfTicket(ticket.value)),
    beganAt,
    beganMilliseconds: attempt.began,
  })
  return true
}

/** Somebody signs the user of this seat out, in one of many ways. */
export async function signOut(world: World, seat: Seat, way: SignOutWay): Promise<boolean> {
  const { browser, session } = seat
  if (session === undefined || browser === undefined) return true
  const { user, sid, handle } = session
  const issuedAt = Date.now()
  const order: NewSignOut = {
    ...{ how: way, user },
    ...(!way.endsWith('subject') && { sid }),
    ...(way.startsWith('back-channel') && { issuedAt }),
  }
  const known = world.history.signOutAsked(order)
  const ask = async (question: Parameters<Member['process']['ask']>[0]): Promise<unknown> => {
    const member = world.crew.any()
    known.process = member.name
    return world.crew.ask(member, question)
  }
  const end = async (): Promise<boolean> => {
    switch (way) {
      case 'back-channel by sid':
      case 'back-channel by subject': {
        const about = { sub: user, sid: way.endsWith('sid') ? sid : undefined }
        const token = await world.provider.logoutToken({ session: about })
        return (await ask({ ask: 'logout', token })) === 200
      }
      case 'front-channel': {
        const query = new URLSearchParams({ iss: world.provider.issuer, sid })
        const url = `${ORIGIN}/auth/frontchannel-logout?${query}`
        const request = { method: 'GET', url, headers: [], body: undefined }
        return ((await ask({ ask: 'handle', request })) as WireResponse).status === 200
      }
      case 'by the user':
        return leave(world, known, browser)
      case 'administrator by session':
        return typeof (await ask({ ask: 'signOut', selector: { session: handle } })) === 'number'
      case 'administrator by sid':
        return typeof (await ask({ ask: 'signOut', selector: { sid } })) === 'number'
      case 'administrator by subject':
        return typeof (await ask({ ask: 'signOut', selector: { subject: user } })) === 'number'
    }
  }
  const done = await end().catch(() => false)
  if (known.outcome === undefined) {
    world.history.signOutEnded(known, done ? 'done' : 'unknown')
    if (done) world.served += 1
    else world.failed += 1
  }
  return done
}

/** The user presses the button; half of them do not wait for the provider's page. */
async function leave(world: World, known: SignOut, browser: TestBrowser): Promise<boolean> {
  const page = await browser.post(`${ORIGIN}/auth/sign-out`, {}, { follow: false })
  const done = page.status < 400
  world.history.signOutEnded(known, done ? 'done' : 'unknown')
  if (done) world.served += 1
  else world.failed += 1
  if (!done || world.random.next() < 0.5) return done
  try {
    for (let next: Page | undefined = page; next !== undefined; ) next = await browser.follow(next)
  } catch {
    // The provider is down; the user is signed out here all the same.
  }
  return done
}

/** A browser each of whose requests to the application goes to any process. */
function browserOf(
  world: World,
  heard: (path: string, member: Member) => void = () => {},
): TestBrowser {
  const { crew, provider } = world
  const toApplication = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    if (!pathname.startsWith('/auth/')) return new Response('the application')
    const member = crew.any()
    heard(pathname, member)
    const { method, url } = request
    const body = request.body === null ? undefined : await request.text()
    const wire = { method, url, headers: [...request.headers], body }
    const answer = (await crew.ask(member, { ask: 'handle', request: wire })) as WireResponse
    if (isError(answer)) throw new Error(`The application failed: ${answer.code}`)
    return new Response(answer.body || null, {
      status: answer.status,
      headers: answer.headers.map(([name, value]): [string, string] => [name, value]),
    })
  }
  const toProvider = async (request: Request): Promise<Response> =>
    provider.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      redirect: 'manual',
      ...(request.body && { body: await request.text() }),
    })
  return startBrowser({ origins: { [ORIGIN]: toApplication, [provider.issuer]: toProvider } })
}

const COOKIE = '__Host-coatcheck'
const DIED = { code: 'died' }

function isError(answer: unknown, code?: string): answer is { readonly code: string } {
  if (typeof answer !== 'object' || answer === null || !('code' in answer)) return false
  return code === undefined || answer.code === code
}

function isStoreFailure(answer: unknown): boolean {
  return isError(answer) && (answer.code.startsWith('store_') || answer.code === 'died')
}
