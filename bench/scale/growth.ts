import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchProvider } from '../provider.ts'
import { type Summary, summarize } from '../statistics.ts'
import { type BenchApplication, ownerAt, startBenchApplication } from './application.ts'
import type { BenchPlace } from './places.ts'
import { type Planned, populate } from './population.ts'

const SESSIONS_OF_A_USER = 10
/** Milliseconds. LMDB takes some five of them where nobody else writes to the disk. */
const FLUSHED_AFTER = 20

/** Deployments that differ in nothing but how many sessions they have. */
export interface Deployment {
  readonly place: BenchPlace
  readonly sessions: number
}

/** What a sign-out takes in them, in milliseconds, from the smallest to the biggest. */
export interface Growth {
  readonly sessions: readonly number[]
  /** By the application, of one user with ten sessions. */
  readonly userMilliseconds: readonly Summary[]
  /** Medians, biggest to smallest. */
  readonly userRatio: number
  /** By a back-channel logout, of one session. */
  readonly sessionMilliseconds: readonly Summary[]
  readonly sessionRatio: number
  /** In the biggest. */
  readonly bytesPerSession: number
  readonly bytesOverTokens: number
}

/** Fills all, and signs out by turns in one and the others. No more rounds than the smallest has users. */
export async function measureGrowth(
  deployments: readonly Deployment[],
  provider: BenchProvider,
  rounds: number,
): Promise<Growth> {
  const sizes: { readonly bytes: number; readonly tokens: number }[] = []
  const running: Running[] = []
  for (const { place, sessions } of deployments) {
    const before = await place.bytes()
    const tokens = await populate(place.store, ownerAt(provider), planned(sessions))
    sizes.push({ bytes: (await place.bytes()) - before, tokens })
    const application = await startBenchApplication(place.store, provider)
    running.push({ place, application, users: sessions / SESSIONS_OF_A_USER })
  }
  const session = await byTurns(running, rounds, signOutBySid, provider)
  const user = await byTurns(running, rounds, signOutUser, provider)
  for (const { application } of running) await application.auth.close()
  const { bytes, tokens } = sizes.at(-1) ?? { bytes: Number.NaN, tokens: Number.NaN }
  return {
    sessions: deployments.map(({ sessions }) => sessions),
    userMilliseconds: user,
    userRatio: growthOf(user),
    sessionMilliseconds: session,
    sessionRatio: growthOf(session),
    bytesPerSession: Math.round(bytes / (deployments.at(-1)?.sessions ?? Number.NaN)),
    bytesOverTokens: Number((bytes / tokens).toFixed(2)),
  }
}

interface Running {
  readonly place: BenchPlace
  readonly application: BenchApplication
  readonly users: number
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
  running: readonly Running[],
  rounds: number,
  signOut: SignOut,
  provider: BenchProvider,
): Promise<Summary[]> {
  const times = new Map(running.map((one) => [one, [] as number[]]))
  for (let round = 0; round < rounds; round++) {
    for (const one of round % 2 === 0 ? running : running.toReversed()) {
      const { place, application, users } = one
      const user = Math.floor((users / rounds) * round)
      const { act, again } = await signOut(application, user, provider)
      const began = performance.now()
      await act()
      times.get(one)?.push(performance.now() - began)
      // What the provider is told afterwards is not to fall into the next measurement.
      await application.settled()
      await populate(place.store, ownerAt(provider), again())
      // Nor is what a store flushes behind its answers: here, of a round of ten sign-ins at once.
      await sleep(FLUSHED_AFTER)
    }
  }
  return [...times.values()].map((each) => summarize(each, 3))
}

function growthOf(all: readonly Summary[]): number {
  const [small, big] = [all[0]?.median ?? Number.NaN, all.at(-1)?.median ?? Number.NaN]
  return Number((big / small).toFixed(2))
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
