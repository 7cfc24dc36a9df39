import { randomBytes } from 'node:crypto'
import autocannon from 'autocannon'
import type { Contestant, Running } from './contestant.ts'
import type { SessionAtProvider } from './provider.ts'
import { type Summary, summarize } from './summary.ts'
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

interface Run {
  readonly rate: number
  readonly cpu: number
  readonly p99: number
}

interface Entered extends Hearer {
  readonly running: Running
  readonly runs: Run[]
}

/**
 * Signs sessions out by turns. The tokens are signed beforehand. `reference` names what the ratios are
 * to. In the end somebody really signed in is signed out, and has to be out.
 */
export async function measureSignOut(
  hearers: readonly Hearer[],
  field: Field,
  reference: string,
  settings: SignOutSettings,
): Promise<{ rows: SignOutRow[]; failed: Record<string, string> }> {
  const failed: Record<string, string> = {}
  const entered: Entered[] = []
  await Promise.all(
    hearers.map(async (hearer) => {
      try {
        const running = await hearer.contestant.start(field)
        if (hearer.contestant.bare !== undefined) {
          await mustSignOut(running, field)
        }
        entered.push({ ...hearer, running, runs: [] })
      } catch (error) {
        failed[hearer.contestant.name] = String(error)
      }
    }),
  )
  entered.sort((a, b) => placeOf(hearers, a) - placeOf(hearers, b))
  try {
    for (let round = 0; round <= settings.rounds; round++) {
      const planned = plan(settings.logouts)
      const tokens = await field.oidc.logoutTokens(planned)
      for (const one of round % 2 === 0 ? entered : entered.toReversed()) {
        if (failed[one.contestant.name] !== undefined) continue
        try {
          const run = await signOutAll(one, planned, tokens, field, settings)
          // The first warms up.
          if (round > 0) one.runs.push(run)
        } catch (error) {
          failed[one.contestant.name] = String(error)
        }
      }
    }
    const whole = entered.filter(({ contestant }) => failed[contestant.name] === undefined)
    const base = whole.find(({ contestant }) => contestant.name === reference)
    return { rows: whole.map((one) => rowOf(one, base)), failed }
  } finally {
    await Promise.all(entered.map(({ running }) => running.close()))
  }
}

async function signOutAll(
  { running, sessions, contestant }: Entered,
  planned: readonly Required<Pick<SessionAtProvider, 'sub' | 'sid'>>[],
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
    left = await field.oidc.logoutTokens(await signInAll(running, subs))
  }
  const bodies = left.map((token) => new URLSearchParams({ logout_token: token }).toString())
  let next = 0
  const before = await running.cpu()
  const { errors, non2xx, requests, latency, start, finish } = await autocannon({
    url: running.backchannel,
    connections,
    amount: bodies.length,
    sampleInt: 50,
    requests: [
      {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        setupRequest: (request) => ({ ...request, body: bodies[next++ % bodies.length] ?? '' }),
      },
    ],
  })
  const cpu = (await running.cpu()) - before
  // What is still to be revoked is not to fall on who comes next.
  await running.settle?.()
  if (errors > 0 || non2xx > 0) {
    throw new Error(`${contestant.name}: ${errors} errors, ${non2xx} logouts were not taken`)
  }
  const seconds = (finish.getTime() - start.getTime()) / 1000
  return { rate: requests.total / seconds, cpu: cpu / requests.total, p99: latency.p99 }
}

/** For real, some at a time. */
async function signInAll(running: Running, subs: readonly string[]): Promise<SessionAtProvider[]> {
  const waiting = [...subs]
  const sessions: SessionAtProvider[] = []
  const walk = async (): Promise<void> => {
    for (let sub = waiting.pop(); sub !== undefined; sub = waiting.pop()) {
      sessions.push(sessionOf(sub, await running.answer(await running.signIn(sub))))
    }
  }
  await Promise.all(Array.from({ length: 8 }, walk))
  return sessions
}

function sessionOf(sub: string, answer: Answer | undefined): SessionAtProvider {
  return { sub, ...(answer?.sid !== undefined && { sid: answer.sid }) }
}

/** Nobody's logouts are counted who does not log out. */
async function mustSignOut(running: Running, { oidc }: Field): Promise<void> {
  const sub = `leaving-${randomBytes(4).toString('hex')}`
  const cookie = await running.signIn(sub)
  // What is issued in the second of the sign-in may be taken for older than it.
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  const [token = ''] = await oidc.logoutTokens([sessionOf(sub, await running.answer(cookie))])
  const body = new URLSearchParams({ logout_token: token })
  const { status } = await fetch(running.backchannel, { method: 'POST', body })
  if (status >= 300) throw new Error(`The logout was answered ${status}.`)
  if ((await running.answer(cookie)) !== undefined) throw new Error('Still signed in.')
}

function plan(count: number): { readonly sub: string; readonly sid: string }[] {
  return Array.from({ length: count }, () => ({
    sub: `user-${randomBytes(8).toString('hex')}`,
    sid: randomBytes(16).toString('base64url'),
  }))
}

function rowOf({ contestant, runs }: Entered, base: Entered | undefined): SignOutRow {
  const { name, setUp } = contestant
  const ratios = runs.map(({ rate }, at) => rate / (base?.runs[at]?.rate ?? Number.NaN))
  return {
    name,
    setUp,
    logoutsPerSecond: summarize(runs.map(({ rate }) => rate)),
    ...(base !== undefined && name !== base.contestant.name && { ratio: summarize(ratios, 2) }),
    cpuMicroseconds: summarize(runs.map(({ cpu }) => cpu)),
    p99Milliseconds: summarize(runs.map(({ p99 }) => p99)),
  }
}

function placeOf(hearers: readonly Hearer[], { contestant }: Hearer): number {
  return hearers.findIndex((hearer) => hearer.contestant.name === contestant.name)
}
