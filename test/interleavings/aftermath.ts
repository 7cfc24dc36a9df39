import { isSignedIn, wantToken } from './acts.ts'
import type { Cast } from './cast.ts'
import { letPass } from './explore.ts'
import { type Fate, fateOfA, fateOfB, fateOfC, fateOfX } from './fate.ts'
import { heard, receiptsOf } from './heard.ts'
import type { Ended } from './play.ts'
import type { TestProcess } from './process.ts'
import { broken, holds } from './promise.ts'
import { lookAtDeadTokens, lookAtTokens } from './revocations.ts'
import type { Scenario } from './scenario.ts'
import type { Person, World } from './world.ts'

/** Longer than a revocation waits for a browser's return. */
const ALL_DONE = 40_000
/** Sooner than anybody finishes a removal for somebody else. */
const SOON = 2_000
/** Longer than the claim of somebody who died. */
const ALL_FREE = 160_000

/** Looks at what is left when all is done. Rejects where a promise was broken. */
export async function lookAtAftermath(
  world: World,
  cast: Cast,
  scenario: Scenario,
  ended: Ended,
  returned?: Person,
): Promise<void> {
  const { a, b, x, c } = cast
  const usual = new Map<Person, Fate>([
    [a, fateOfA(scenario)],
    [b, fateOfB(scenario)],
    [x, fateOfX(scenario)],
  ])
  if (c) usual.set(c.person, fateOfC(scenario))
  if (returned) usual.set(returned, 'stays')
  const fates = [...usual].map(([person, fate]): [Person, Fate] =>
    ended.soon.has(person) ? [person, 'gone'] : [person, fate],
  )
  for (const person of ended.now) await lookForRecord(world, person)
  if (scenario.death === undefined) lookAtRefreshes(world, cast, scenario)
  await letPass(world, scenario.death === undefined ? ALL_DONE : ALL_FREE)
  for (const [person, fate] of fates) if (fate === 'gone') await lookForRecord(world, person)
  await lookForStrangers(world, cast, scenario, ended, returned)
  for (const [person, fate] of fates) await lookAtSession(world, person, fate)
  for (const person of usual.keys()) await lookAtPlace(world, person)
  // In the end nobody's tokens may be left behind, whatever their sessions went through.
  for (const { sub } of [a, x]) await finish(world, survivor(world).auth.signOut({ subject: sub }))
  await letPass(world, ALL_DONE)
  for (const [person, fate] of fates) {
    if (scenario.death === undefined) lookAtTokens(world, person)
    else if (fate === 'gone') lookAtDeadTokens(world, person, scenario)
  }
  await lookAtWork(world)
  lookAtReuse(world, cast, scenario)
  await signInAfresh(world)
}

async function lookForRecord({ stores }: World, { handle }: Person): Promise<void> {
  if (handle === undefined) return
  const left = await stores.contents(`s.${handle}`)
  holds('gone', left.length === 0, 'a record is left')
}

/** A session that nobody was told of: its process died before it answered the browser. */
async function lookForStrangers(
  { stores }: World,
  { a, b, x, c }: Cast,
  { death }: Scenario,
  ended: Ended,
  returned: Person | undefined,
): Promise<void> {
  const known = [a, b, x, c?.person, returned].map((person) => `s.${person?.handle}`)
  const strangers = (await stores.contents('s.')).filter(({ id }) => !known.includes(id))
  const may = death !== undefined && c !== undefined && !ended.soon.has(c.person) ? 1 : 0
  holds('gone', strangers.length <= may, 'there is a record of nobody')
}

/** Whoever was signed out comes back, before anybody has finished what somebody left who died. */
export async function comeBackSoon(world: World, { death }: Scenario): Promise<Person> {
  world.sleepers.forwardTo(world.sleepers.now() + SOON)
  const [one, other] = world.processes
  const process = death?.at === 0 ? other : one
  return finish(world, world.signIn({ sub: 'U1', sid: 'S1' }, process))
}

/** What a place heard of a session: where it ended all the same, and where it lives nothing. */
async function lookAtPlace({ told, stores }: World, { handle }: Person): Promise<void> {
  if (told === undefined || handle === undefined) return
  const heardOf = told.filter(({ sessions }) => sessions.some((one) => one.handle === handle))
  const removals = new Set(heardOf.map(({ receipt }) => receipt)).size
  const lives = (await stores.contents(`s.${handle}`)).length > 0
  const right = removals === (lives ? 0 : 1)
  holds('told', right, `it is ${lives ? 'there' : 'gone'}, and was told of in ${removals} removals`)
}

/** One refresh for all who want the same; one more for each who insists. */
function lookAtRefreshes({ families }: World, { a }: Cast, { calls, age }: Scenario): void {
  const refreshes = families.of(a.code).filter(({ grant }) => grant === 'refresh_token').length
  const patient = calls.filter(({ force }) => !force)
  const wanted = new Set(patient.map(({ resource }) => resource))
  // The first token is still good then.
  if (age === 100) wanted.delete(undefined)
  const most = wanted.size + calls.length - patient.length
  holds('spent', refreshes <= most, `${refreshes} refreshes where ${most} would do`)
}

async function lookAtSession(world: World, person: Person, fate: Fate): Promise<void> {
  if (person.handle === undefined) {
    return holds('kept', fate !== 'stays', 'a sign-in that nobody signed out was refused')
  }
  for (const process of world.processes) {
    if (!process.alive) continue
    const token = await finish(world, wantToken(process, person, { by: 'handle', force: true }))
    const signedIn = await finish(world, isSignedIn(process, person))
    if (fate === 'gone') holds('gone', token === undefined && !signedIn, 'it still serves')
    if (fate === 'stays') holds('kept', token !== undefined && signedIn, 'it serves no more')
    holds('kept', (token !== undefined) === signedIn, 'there is a session without tokens')
  }
  const stored = (await world.stores.contents(`s.${person.handle}`)).length > 0
  const receipts = receiptsOf(world, person).length
  const died = world.processes.some(({ alive }) => !alive)
  const right = stored ? receipts === 0 : receipts === 1 || (died && receipts === 0)
  holds('shown', right, `it is ${stored ? 'there' : 'gone'}, and in ${receipts} receipts`)
}

/** Without a schedule all goes on by itself; only time has to pass. */
async function finish<T>(world: World, work: Promise<T>): Promise<T> {
  let done = false
  const end = (): void => {
    done = true
  }
  work.then(end, end)
  for (let turns = 0; turns < 100; turns += 1) {
    await world.settled()
    if (done) return work
    world.sleepers.forwardTo(world.sleepers.next ?? 0)
  }
  throw broken('ends', 'a call after everything else never ends')
}

function survivor({ processes }: World): TestProcess {
  return processes[0].alive ? processes[0] : processes[1]
}

async function lookAtWork(world: World): Promise<void> {
  const left = await world.stores.contents('w.')
  holds('work', left.length === 0, `${left.length} pieces of work are left`)
  const failed = heard(world, 'worker_failed')
  holds('work', failed.length === 0, failed.map(({ error }) => error).join())
  const outcomes = heard(world, 'revocation').filter(({ outcome }) => outcome !== 'confirmed')
  holds('revoked', outcomes.length === 0, 'a revocation was not confirmed')
}

/**
 * Whoever dies between the provider's answer and the store's leaves a spent refresh token. It is
 * spent once more, then the session ends: no loop.
 */
function lookAtReuse({ provider, families }: World, { a }: Cast, { death }: Scenario): void {
  const { reused } = provider
  const ofA = reused.filter(({ kind, value }) => {
    return kind === 'refresh_token' && families.codeOf(value) === a.code
  })
  const may = death === undefined ? 0 : 1
  holds('spent', ofA.length <= may && ofA.length === reused.length, `${reused.length} came twice`)
}

async function signInAfresh(world: World): Promise<void> {
  for (const process of world.processes) {
    if (!process.alive) continue
    const person = await finish(world, world.signIn({ sub: 'U1', sid: 'S1' }, process))
    const token = await finish(world, wantToken(process, person, { by: 'cookie' }))
    holds('afresh', token !== undefined, 'there is no token')
  }
}
