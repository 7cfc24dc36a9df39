import type { AuthEvent, SignOutReceipt } from '#coatcheck'
import { isSignedIn, wantToken } from './acts.ts'
import type { Cast } from './cast.ts'
import { letPass } from './explore.ts'
import { type Fate, fateOfA, fateOfB, fateOfC } from './fate.ts'
import { broken, holds } from './promise.ts'
import type { Scenario } from './scenario.ts'
import type { Person, World } from './world.ts'

/** Longer than any revocation waits for a browser's return. */
const ALL_DONE = 40_000

/** Looks at what is left when all is done. Rejects where a promise was broken. */
export async function lookAtAftermath(world: World, cast: Cast, scenario: Scenario): Promise<void> {
  const { a, b, x, c } = cast
  const fates: [Person, Fate][] = [
    [a, fateOfA(scenario)],
    [b, fateOfB(scenario)],
    [x, 'stays'],
    ...(c ? [[c.person, fateOfC(scenario)] as [Person, Fate]] : []),
  ]
  for (const [person, fate] of fates) if (fate === 'gone') await lookForRecord(world, person)
  lookAtRefreshes(world, cast, scenario)
  await letPass(world, ALL_DONE)
  for (const [person, fate] of fates) await lookAtSession(world, person, fate)
  await letPass(world, ALL_DONE)
  for (const [person] of fates) lookAtTokens(world, person)
  await lookAtWork(world)
  const { reused } = world.provider
  holds('spent', reused.length === 0, `${reused.map(({ kind }) => kind)} came twice`)
  await signInAfresh(world)
}

/** Events of one type, of all processes. */
export function heard<Type extends AuthEvent['type']>(
  { processes }: World,
  type: Type,
): Extract<AuthEvent, { type: Type }>[] {
  const all = processes.flatMap(({ events }) => events)
  return all.filter((event): event is Extract<AuthEvent, { type: Type }> => event.type === type)
}

async function lookForRecord({ store }: World, { handle }: Person): Promise<void> {
  if (handle === undefined) return
  const left = await store.contents(`s.${handle}`)
  holds('gone', left.length === 0, 'a record is left')
}

/** One refresh for all who want the same; one more for each who insists. */
function lookAtRefreshes({ families }: World, { a }: Cast, { calls, age }: Scenario): void {
  const refreshes = families.of(a.code).filter(({ grant }) => grant === 'refresh_token').length
  const patient = calls.filter(({ force }) => !force)
  const wanted = new Set(patient.map(({ resource }) => resource))
  // There was no token for the other API yet, and a good one for the first does not need another.
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
  const stored = (await world.store.contents(`s.${person.handle}`)).length > 0
  const receipts = receiptsOf(world, person).length
  holds('shown', receipts === (stored ? 0 : 1), `it is in ${receipts} receipts`)
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

function receiptsOf(world: World, { handle }: Person): SignOutReceipt[] {
  return heard(world, 'signed_out')
    .map(({ receipt }) => receipt)
    .filter(({ sessions }) => sessions.includes(handle ?? ''))
}

/** Whatever the provider gave for a session that is gone was spent, has expired, or is revoked. */
function lookAtTokens(world: World, person: Person): void {
  const { families, provider } = world
  const [receipt] = receiptsOf(world, person)
  const answers = families.of(person.code)
  const refused = person.handle === undefined
  if (receipt === undefined && !refused) return
  const revoked = provider.revoked.map(({ token }) => token)
  holds('revoked', new Set(revoked).size === revoked.length, 'a token was revoked twice')

  const refreshed = heard(world, 'refreshed').filter(({ session }) => session === person.handle)
  const kept = refused ? 0 : 1 + refreshed.length
  const silent = receipt?.cause === 'front_channel' || receipt?.cause === 'replaced'
  // What was kept and then removed is revoked, unless nobody trustworthy asked for it.
  const owed = answers.slice(silent ? kept : kept - 1)
  for (const { refreshToken, accessToken } of refused ? answers : owed) {
    const spent = answers.some(
      (other) => other !== answers.at(-1) && other.refreshToken === refreshToken,
    )
    holds('revoked', spent || revoked.includes(refreshToken), 'a refresh token was not revoked')
    const live = provider.liveAccessTokens().includes(accessToken)
    holds('revoked', !live || revoked.includes(accessToken), 'an access token was not revoked')
  }
}

async function lookAtWork(world: World): Promise<void> {
  const left = await world.store.contents('w.')
  holds('work', left.length === 0, `${left.length} pieces of work are left`)
  const failed = heard(world, 'worker_failed')
  holds('work', failed.length === 0, failed.map(({ error }) => error).join())
  const outcomes = heard(world, 'revocation').filter(({ outcome }) => outcome !== 'confirmed')
  holds('revoked', outcomes.length === 0, 'a revocation was not confirmed')
}

async function signInAfresh(world: World): Promise<void> {
  for (const process of world.processes) {
    if (!process.alive) continue
    const person = await finish(world, world.signIn({ sub: 'U1', sid: 'S1' }, process))
    const token = await finish(world, wantToken(process, person, { by: 'cookie' }))
    holds('afresh', token !== undefined, 'there is no token')
  }
}
