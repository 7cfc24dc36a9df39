import type { BenchProvider } from '../provider.ts'
import { type BenchApplication, ownerAt, startBenchApplication } from './application.ts'
import type { BenchPlace } from './places.ts'
import { type Planned, populate } from './population.ts'

const SMALL = 1_000
const SESSIONS_OF_A_USER = 10
/** As many as the small one has users. */
const ROUNDS = 100

/** What a sign-out takes in a small and in a big deployment, in milliseconds. */
export interface Growth {
  readonly sessions: number
  readonly bytesPerSession: number
  readonly tokenBytesPerSession: number
  readonly bytesOverTokens: number
  readonly userMedians: readonly [small: number, big: number]
  readonly userRatio: number
  readonly sidMedians: readonly [small: number, big: number]
  readonly sidRatio: number
}

/** Fills both, and signs out by turns in one and the other. */
export async function measureGrowth(
  small: BenchPlace,
  big: BenchPlace,
  provider: BenchProvider,
  sessions: number,
): Promise<Growth> {
  const owner = ownerAt(provider)
  await populate(small.store, owner, planned(SMALL))
  const before = await big.bytes()
  const tokenBytes = await populate(big.store, owner, planned(sessions))
  const bytes = (await big.bytes()) - before
  const applications = [
    await startBenchApplication(small.store, provider),
    await startBenchApplication(big.store, provider),
  ] as const
  const both = [small, big] as const
  const sid = await byTurns(both, applications, [SMALL, sessions], signOutBySid, provider)
  const user = await byTurns(both, applications, [SMALL, sessions], signOutUser, provider)
  for (const { auth } of applications) await auth.close()
  return {
    sessions,
    bytesPerSession: Math.round(bytes / sessions),
    tokenBytesPerSession: Math.round(tokenBytes / sessions),
    bytesOverTokens: round(bytes / tokenBytes),
    userMedians: user,
    userRatio: round(user[1] / user[0]),
    sidMedians: sid,
    sidRatio: round(sid[1] / sid[0]),
  }
}

/** Prepares what is not measured, and answers what is, and what makes the store as full as before. */
type SignOut = (
  application: BenchApplication,
  user: number,
  provider: BenchProvider,
) => Promise<{ act: () => Promise<unknown>; again: () => Iterable<Planned> }>

const signOutUser: SignOut = async ({ auth }, user) => ({
  act: () => auth.signOut({ subject: `user-${user}` }),
  again: () => ofUser(user, Date.now() + 5),
})

const signOutBySid: SignOut = async ({ logout }, user, provider) => {
  const token = await provider.logoutToken({ sub: `user-${user}`, sid: `user-${user}-0` })
  return { act: () => logout(token), again: () => [] }
}

async function byTurns(
  places: readonly [BenchPlace, BenchPlace],
  applications: readonly [BenchApplication, BenchApplication],
  sizes: readonly [number, number],
  signOut: SignOut,
  provider: BenchProvider,
): Promise<[number, number]> {
  const owner = ownerAt(provider)
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    for (const at of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const users = sizes[at] / SESSIONS_OF_A_USER
      const user = Math.floor((users / ROUNDS) * round)
      const { act, again } = await signOut(applications[at], user, provider)
      const began = performance.now()
      await act()
      times[at].push(performance.now() - began)
      // What the provider is told afterwards is not to fall into the next measurement.
      await applications[at].settled()
      await populate(places[at].store, owner, again())
    }
  }
  return [median(times[0]), median(times[1])]
}

function* planned(sessions: number): Generator<Planned> {
  for (let user = 0; user < sessions / SESSIONS_OF_A_USER; user++) yield* ofUser(user)
}

function* ofUser(user: number, establishedAt?: number): Generator<Planned> {
  for (let session = 0; session < SESSIONS_OF_A_USER; session++) {
    const planned = { subject: `user-${user}`, sid: `user-${user}-${session}` }
    yield establishedAt === undefined ? planned : { ...planned, establishedAt }
  }
}

function median(times: number[]): number {
  return round(times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN)
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
