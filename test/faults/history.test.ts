import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHistory, type History, type KnownSession, type NewSignOut } from './history.ts'

describe('the history of a run with faults', () => {
  it('finds whoever is served after the answer to a sign-out', () => {
    const { history, session } = begin()
    signOut(history, 'done')
    look(history, session, 'served')
    assert.equal(history.violations.length, 1)
  })

  it('finds whoever is served again after having been seen signed out', () => {
    const { history, session } = begin()
    signOut(history, 'unknown')
    look(history, session, 'served')
    assert.equal(history.violations.length, 0)
    look(history, session, 'out')
    look(history, session, 'served')
    assert.equal(history.violations.length, 1)
  })

  it('allows an answer to a request that was made before the sign-out was answered', () => {
    const { history, session } = begin()
    const asked = history.tick()
    signOut(history, 'done')
    history.looked(session, asked, 'served', 'p0')
    assert.deepEqual(history.violations, [])
  })

  it('finds whoever lost a session that nobody ended', () => {
    const { history, session } = begin()
    signOut(history, 'done', { user: 'U2' })
    signOut(history, 'done', { sid: 'another' })
    look(history, session, 'out')
    assert.deepEqual(history.takeLost(), [session])
    assert.deepEqual(history.takeLost(), [])
  })

  it('takes a sign-out whose answer never came for done or not done', () => {
    const { history, session } = begin()
    signOut(history, 'unknown')
    look(history, session, 'served')
    look(history, session, 'out')
    assert.deepEqual(history.takeLost(), [])
    assert.deepEqual(history.violations, [])
  })

  it('does not let a sign-out end who signed in after its answer', () => {
    const history = createHistory()
    signOut(history, 'done')
    const session = signIn(history)
    look(history, session, 'out')
    assert.deepEqual(history.takeLost(), [session])
  })

  it('lets one end who signed in meanwhile, or in the same second of the provider', () => {
    const history = createHistory()
    const order = history.signOutAsked({ how: 'administrator by subject', user: 'U1' })
    const meanwhile = signIn(history)
    history.signOutEnded(order, 'done')
    look(history, meanwhile, 'served')
    look(history, meanwhile, 'out')
    signOut(history, 'done', { how: 'back-channel by subject', issuedAt: NOON + 400 })
    const soon = signIn(history, NOON + 900)
    const later = signIn(history, NOON + 1000)
    for (const session of [soon, later]) look(history, session, 'out')
    assert.deepEqual(history.takeLost(), [later])
    assert.deepEqual(history.violations, [])
  })
})

/** A whole second. */
const NOON = 1_800_000_000_000

function begin(): { history: History; session: KnownSession } {
  const history = createHistory()
  return { history, session: signIn(history) }
}

function signIn(history: History, beganMilliseconds = NOON): KnownSession {
  const names = { user: 'U1', sid: 'S1', cookie: 'ticket', handle: 'handle' }
  return history.signedIn({ ...names, beganAt: history.tick(), beganMilliseconds })
}

function signOut(
  history: History,
  outcome: 'done' | 'unknown',
  order: Partial<NewSignOut> = {},
): void {
  const how = 'administrator by subject'
  history.signOutEnded(history.signOutAsked({ how, user: 'U1', ...order }), outcome)
}

function look(history: History, session: KnownSession, seen: 'served' | 'out'): void {
  history.looked(session, history.tick(), seen, 'p0')
}
