import { comeBack, isSignedIn, logoutTokenOf, signOut, wantToken } from './acts.ts'
import type { Cast } from './cast.ts'
import { startExploration } from './explore.ts'
import { endsA, endsB, endsC, endsX, fateOfA } from './fate.ts'
import { ORIGIN, type TestProcess, UNDISTURBED } from './process.ts'
import { broken, holds } from './promise.ts'
import type { Call, Scenario, SignOut } from './scenario.ts'
import { type Person, recognize, type World } from './world.ts'

/** Who must be signed out. */
export interface Ended {
  /** Success was answered. */
  readonly now: ReadonlySet<Person>
  /** The work was begun, so that somebody finishes it. */
  readonly soon: ReadonlySet<Person>
}

/**
 * Lets everything of a scenario happen at the same time. Rejects where a promise was broken.
 */
export async function play(world: World, cast: Cast, scenario: Scenario): Promise<Ended> {
  const { processes, families, provider } = world
  const { a, c } = cast
  const exploration = startExploration(world)
  /** When a sign-out of somebody was first answered: how many tokens there were by then. */
  const answered = new Map<Person, number>()
  const faults: unknown[] = []
  // Whoever claimed may be dead or slow: then others give up waiting, and try again later.
  const patienceEnds = scenario.death !== undefined || scenario.slowClaim !== undefined
  const stays = fateOfA(scenario) === 'stays'

  function start(name: string, process: TestProcess, work: () => Promise<void>): void {
    exploration.start({ name, process, work }).catch((error: unknown) => faults.push(error))
  }

  /** One request for a token, and all that can be said about it at once. */
  async function call(process: TestProcess, person: Person, how: Omit<Call, 'at'>): Promise<void> {
    const tooLate = answered.has(person)
    const value = await wantToken(process, person, {
      ...how,
      mayGiveUp: patienceEnds,
    })
    if (tooLate) holds('served', value === undefined, 'a token was served after the answer')
    if (value === undefined) {
      const may = person !== a || !stays || patienceEnds
      return holds('kept', may, 'a session that nobody signed out got no token')
    }
    const place = answered.get(person)
    const before = place === undefined || families.placeOf(value) < place
    holds('served', before, 'a token was served that came after the answer')
  }

  async function touch(process: TestProcess, person: Person): Promise<void> {
    const tooLate = answered.has(person)
    const signedIn = await isSignedIn(process, person)
    if (tooLate) holds('served', !signedIn, 'a session was told of after the answer')
    else if (stays) holds('kept', signedIn, 'a session was not told of')
  }

  /** Comes when a sign-out was answered. */
  async function comeLate(person: Person): Promise<void> {
    answered.set(person, Math.min(answered.get(person) ?? Infinity, families.answers.length))
    if (person.cookie === undefined) return
    const [one, two] = processes
    const how = { by: 'handle', resource: undefined, force: false } as const
    if (world.actorsOnly) {
      await one.as(UNDISTURBED, () => touch(one, person))
      await two.as(UNDISTURBED, () => call(two, person, how))
    } else {
      start('latecomer', one, () => touch(one, person))
      start('latecomer', two, () => call(two, person, how))
    }
  }

  for (const { at, ...how } of scenario.calls) {
    const process = processes[at]
    start(how.force ? 'forced call' : 'call', process, () => call(process, a, how))
  }
  for (const at of scenario.touches) {
    start('touch', processes[at], () => touch(processes[at], a))
  }
  if (c !== undefined && scenario.callback !== undefined) {
    const cookie = c.person.browser.cookieHeader(ORIGIN)
    for (const at of scenario.callback.at) {
      start('callback', processes[at], async () => {
        const ticket = await comeBack(processes[at], c.url, cookie)
        if (ticket === undefined) return
        holds('once', c.person.cookie === undefined, 'a callback was answered twice')
        recognize(c.person, ticket)
        if (answered.has(c.person)) await comeLate(c.person)
      })
    }
  }
  const begun: { process: TestProcess; actor: string; covered: Person[] }[] = []
  for (const [place, order] of scenario.signOuts.entries()) {
    const logoutToken = await logoutTokenOf(world, cast, order)
    const twice = order.by === 'back_channel' && order.twice
    for (const at of twice ? ([0, 1] as const) : [order.at]) {
      const actor = `sign-out ${place + 1} (${order.by})`
      const covered = coveredBy(order, cast, scenario)
      // Nobody finishes it for who dies in the middle: whoever wanted it runs it again.
      if (order.by !== 'everybody') begun.push({ process: processes[at], actor, covered })
      start(actor, processes[at], async () => {
        const to = { issuer: provider.issuer, logoutToken, stores: world.stores }
        const done = await signOut(processes[at], order, cast, to)
        holds('answers', done, `a sign-out (${order.by}) was refused`)
        for (const person of covered) await comeLate(person)
      })
    }
  }
  const { death } = scenario
  if (death !== undefined) processes[death.at].dieAfter(death.after)
  const { slowClaim } = scenario
  if (slowClaim !== undefined) {
    processes[slowClaim.at].delayClaim(slowClaim.nth, slowClaim.seconds * 1000)
  }
  await exploration.run()
  for (const process of processes) process.delayClaim(0, 0)
  if (faults.length > 0) throw faults[0] ?? broken('answers', 'something was rejected')
  const finished = begun.filter(({ process, actor }) => process.removers.has(actor))
  return {
    now: new Set(answered.keys()),
    soon: new Set(finished.flatMap(({ covered }) => covered)),
  }
}

function coveredBy(order: SignOut, { a, b, x, c }: Cast, { callback }: Scenario): Person[] {
  return [
    ...(endsA(order) ? [a] : []),
    ...(endsB(order) ? [b] : []),
    ...(endsX(order) ? [x] : []),
    ...(c && callback && endsC(order, callback.browser) ? [c.person] : []),
  ]
}
