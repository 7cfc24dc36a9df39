import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Run, shoot } from '../load.ts'
import type { SessionAtProvider } from '../provider.ts'
import { type Summary, summarize } from '../statistics.ts'
import type { Contestant, Running } from './contestant.ts'
import { noFailures, type Outcome, progress } from './outcome.ts'
import type { Field } from './surroundings.ts'
import type { Answer } from './task.ts'

/** How many back-channel logouts one process does. */
export interface SignOutRow {
  readonly name: string
  readonly setUp: string
  readonly logoutsPerSecond: Summary
  /** To a route that only verifies the token, in the same round. */
  readonly ratio?: Summary
  readonly cpuMicroseconds: Summary
  readonly p99Milliseconds: Summary
}

/** How it is measured. */
export interface SignOutSettings {
  readonly rounds: number
  /** In each round, each for a session of its own. */
  readonly logouts: number
  /** As many where each takes a real sign-in. */
  readonly signIns: number
  readonly connections: number
}

/** Who hears logout tokens, and how sessions come to be there. */
export interface Hearer {
  readonly contestant: Contestant
  /**
   * `populated`: put into the store as sign-ins would have; `signed-in`: by that many real sign-ins;
   * `none`: it does the same whether there is a session or not.
   */
  readonly sessions: 'populated' | 'signed-in' | 'none'
}

interface Entered extends Hearer {
  readonly running: Running
  readonly runs: Run[]
}

/**
 * Signs sessions out by turns. The tokens are signed beforehand. `reference` names what the ratios are
 * to. First of all somebody really signed in is signed out, and has to be out.
 */
export async function measureSignOut(
  hearers: readonly Hearer[],
  field: Field,
  reference: string,
  settings: SignOutSettings,
): Promise<Outcome<SignOutRow>> {
  const { attempt, failed, has } = noFailures()
  progress('back-channel logouts: somebody is signed out of each')
  const all = await Promise.all(
    hearers.map((hearer) =>
      attempt(hearer.contestant.name, 120, async (): Promise<Entered> => {
        const running = await field.running(hearer.contestant)
        if (hearer.contestant.bare !== undefined) await mustSignOut(running, field)
        return { ...hearer, running, runs: [] }
      }),
    ),
  )
  const entered = all.filter((one) => one !== undefined)
  for (let round = 0; round <= settings.rounds; round++) {
    progress(`back-channel logouts: round ${round} of ${settings.rounds}`)
    const planned = plan(settings.logouts)
    const tokens = await field.oidc.logoutTokens(planned)
    for (const one of round % 2 === 0 ? entered : entered.toReversed()) {
      const { name } = one.contestant
      if (has(name)) continue
      const run = await attempt(name, 180, () => signOutAll(one, planned, tokens, field, settings))
      // The first warms up.
      if (run !== undefined && round > 0) one.runs.push(run)
    }
  }
  const whole = entered.filter(({ contestant }) => !has(contestant.name))
  const base = whole.find(({ contestant }) => contestant.name === reference)
  return { rows: whole.map((one) => rowOf(one, base)), failed }
}

async function signOutAll(
  { running, sessions }: Entered,
  planned: readonly Required<SessionAtProvider>[],
  tokens: readonly string[],
  field: Field,
  { connections, signIns }: SignOutSettings,
): Promise<Run> {
  let left = tokens
  if (sessions === 'populated') {
    await running.populate?.(planned.map(({ sub, sid }) => ({ subject: sub, sid })))
  }
  if (sessions === 'signed-in') {
    const subs = planned.slice(0, signIns).map(({ sub }) => sub)
    const all = await signInAll(running, subs)
    left = await field.oidc.logoutTokens(all.map(({ session }) => session))
  }
  const run = await post(running, left, connections)
  // What is still to be revoked is not to fall on who comes next.
  await running.settle?.()
  return run
}

/** Each logout token once. */
function post(
  { backchannel, cpu }: Running,
  tokens: readonly string[],
  connections: number,
): Promise<Run> {
  const bodies = tokens.map((token) => new URLSearchParams({ logout_token: token }).toString())
  let next = 0
  const options = {
    url: backchannel,
    connections: Math.min(connections, bodies.length),
    amount: bodies.length,
    sampleInt: 50,
    requests: [
      {
        method: 'POST' as const,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        setupRequest: (request: object) => ({
          ...request,
          body: bodies[next++ % bodies.length] ?? '',
        }),
      },
    ],
  }
  return shoot(options, cpu)
}

/** Somebody who was signed in for real. */
export interface SignedIn {
  readonly cookie: string
  readonly session: SessionAtProvider
}

/** For real, some at a time. */
export async function signInAll(running: Running, subs: readonly string[]): Promise<SignedIn[]> {
  const waiting = [...subs]
  const all: SignedIn[] = []
  const walk = async (): Promise<void> => {
    for (let sub = waiting.pop(); sub !== undefined; sub = waiting.pop()) {
      const cookie = await running.signIn(sub)
      all.push({ cookie, session: sessionOf(sub, await running.answer(cookie)) })
    }
  }
  await Promise.all(Array.from({ length: 8 }, walk))
  return all
}

function sessionOf(sub: string, answer: Answer | undefined): SessionAtProvider {
  return { sub, ...(answer?.sid !== undefined && { sid: answer.sid }) }
}

/** Nobody's logouts are counted who does not log out. */
async function mustSignOut(running: Running, { oidc }: Field): Promise<void> {
  const sub = `leaving-${randomBytes(4).toString('hex')}`
  const cookie = await running.signIn(sub)
  // What is issued in the second of the sign-in may be taken for older than it.
  await sleep(1_100)
  const [token = ''] = await oidc.logoutTokens([sessionOf(sub, await running.answer(cookie))])
  await logOut(running, token)
  if ((await running.answer(cookie)) !== undefined) throw new Error('Still signed in.')
}

/** Posts one logout token, which has to be taken. */
export async function logOut({ backchannel }: Running, token: string): Promise<void> {
  const body = new URLSearchParams({ logout_token: token })
  const { status } = await fetch(backchannel, { method: 'POST', body })
  if (status >= 300) throw new Error(`A logout was answered ${status}.`)
}

function plan(count: number): { readonly sub: string; readonly sid: string }[] {
  return Array.from({ length: count }, () => ({
    sub: `user-${randomBytes(8).toString('hex')}`,
    sid: randomBytes(16).toString('base64url'),
  }))
}

function rowOf({ contestant, runs }: Entered, base: Entered | undefined): SignOutRow {
  const { name, setUp } = contestant
  const rates = runs.map(({ requestsPerSecond }) => requestsPerSecond)
  const ratios = rates.map((rate, at) => rate / (base?.runs[at]?.requestsPerSecond ?? Number.NaN))
  return {
    name,
    setUp,
    logoutsPerSecond: summarize(rates),
    ...(base !== undefined && name !== base.contestant.name && { ratio: summarize(ratios, 2) }),
    cpuMicroseconds: summarize(runs.map(({ cpuPerRequest }) => cpuPerRequest)),
    p99Milliseconds: summarize(runs.map(({ p99 }) => p99)),
  }
}
