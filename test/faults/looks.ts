import { decodeJwt } from 'jose'
import type { KnownSession } from './history.ts'
import type { World } from './world.ts'

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
    else if (!isError(answer) || !answer.code.startsWith('provider_')) {
      const story = [`${JSON.stringify(answer)} from ${by}`]
      history.violations.push({ promise: 'an answer that nobody can use', story })
    }
    return false
  }
  history.looked(session, askedAt, 'served', by)
  world.served += 1
  availability.served(session.number, asked)
  const user = what === 'session' ? answer : decodeJwt(answer).sub
  const sid = world.provider.introspect(answer)?.family.session.sid ?? session.sid
  if (user !== session.user || sid !== session.sid) {
    const story = [`session ${session.number} of ${session.user} got what is ${user}'s from ${by}`]
    history.violations.push({ promise: 'somebody else was served', story })
  }
  return true
}

const DIED = { code: 'died' }

function isError(answer: unknown, code?: string): answer is { readonly code: string } {
  if (typeof answer !== 'object' || answer === null || !('code' in answer)) return false
  return code === undefined || answer.code === code
}

function isStoreFailure(answer: unknown): boolean {
  return isError(answer) && (answer.code.startsWith('store_') || answer.code === 'died')
}
