import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchProvider } from '../provider.ts'
import { ownerAt, startBenchApplication } from './application.ts'
import type { BenchPlace } from './places.ts'
import { populate } from './population.ts'

/** What it takes to sign out a user with very many sessions, in milliseconds. */
export interface ManySessions {
  readonly sessionsOfOneUser: number
  readonly signedOutWithin: number
  readonly longestBlock: number
  /** Of this process, all threads. */
  readonly processorTime: number
}

/** Signs the user out, and watches how long others had to wait for the event loop. */
export async function measureManySessions(
  { store }: BenchPlace,
  provider: BenchProvider,
  sessions: number,
): Promise<ManySessions> {
  const plans = Array.from({ length: sessions }, (_, at) => ({
    subject: 'many',
    sid: `many-${at}`,
  }))
  await populate(store, ownerAt(provider), plans)
  const { auth, logout } = await startBenchApplication(store, provider)
  const token = await provider.logoutToken({ sub: 'many' })
  // Its worker's first round is over then, and the second does not fall into what is measured.
  await sleep(1_000)
  const waits = monitorEventLoopDelay({ resolution: 1 })
  waits.enable()
  const [began, before] = [performance.now(), process.cpuUsage()]
  await logout(token)
  const signedOutWithin = Math.round(performance.now() - began)
  const { user, system } = process.cpuUsage(before)
  waits.disable()
  await auth.close()
  return {
    sessionsOfOneUser: sessions,
    signedOutWithin,
    longestBlock: Math.round(waits.max / 1e5) / 10,
    processorTime: Math.round((user + system) / 1_000),
  }
}
