import { type BenchApplication, startBenchApplication } from './application.ts'
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
  sessions: number,
): Promise<Growth> {
  const applications = [
    await startBenchApplication(small.store),
    await startBenchApplication(big.store),
  ] as const
  await populate(small.store, applications[0].owner, planned(SMALL))
  const before = await big.bytes()
  const tokenBytes = await populate(big.store, applications[1].owner, planned(sessions))
  const bytes = (await big.bytes()) - before
  const both = [small, big] as const
  const sid = await byTurns(both, applications, [SMALL, sessions], signOutBySid)
  const user = await byTurns(both, applications, [SMALL, sessions], signOutUser)
  for (const { auth, provider } of applications) {
    await auth.close()
    await provider.close()
  }
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
) => Promise<{ act: () => Promise<unknown>; again: () => Iterable<Planned> }>

const signOutUser: SignOut = async ({ auth }, user) => ({
  act: () => auth.signOut({ subject: `user-${user}` }),
  again: () => ofUser(user, Date.now() + 5),
})

const signOutBySid: SignOut = async ({ logout, provider }, user) => {
  const session = { sub: `user-${user}`, sid: `user-${user}-0` }
  const token = await provider.logoutToken({ session })
  return { act: () => logout(token), again: () => [] }
}

async function byTurns(
  places: readonly [BenchPlace, BenchPlace],
  applications: readonly [BenchApplication, BenchApplication],
  sizes: readonly [number, number],
  signOut: SignOut,
): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    for (const at of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const users = sizes[at] / SESSIONS_OF_A_USER
      const { act, again } = await signOut(applications[at], Math.floor((users / ROUNDS) * round))
      const began = performance.now()
      await act()
      times[at].push(performance.now() - began)
      await populate(places[at].store, applications[at].owner, again())
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
