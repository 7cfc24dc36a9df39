import type { BenchProvider } from '../provider.ts'
import { type Growth, measureGrowth } from './growth.ts'
import { type ManySessions, measureManySessions } from './many-sessions.ts'
import { type BenchPlace, type PlaceName, places } from './places.ts'

/** How many sessions a store gets. */
export interface ScaleSettings {
  /** Of the deployments, the smallest first. */
  readonly sessions: readonly number[]
  readonly rounds: number
  readonly sessionsOfOneUser: number
}

/** How a store does as it grows. */
export interface ScaleRow extends Growth {
  readonly name: PlaceName
  readonly many: ManySessions
}

/** Signs out in a store of each size, and the user with very many sessions in the smallest. */
export async function measureStore(
  name: PlaceName,
  provider: BenchProvider,
  { sessions, rounds, sessionsOfOneUser }: ScaleSettings,
): Promise<ScaleRow> {
  const opened: BenchPlace[] = []
  try {
    for (const _ of sessions) opened.push(await places[name].open())
    const deployments = opened.map((place, at) => ({ place, sessions: sessions[at] ?? 0 }))
    const growth = await measureGrowth(deployments, provider, rounds)
    const [small] = opened
    if (small === undefined) throw new TypeError('No size is given.')
    const many = await measureManySessions(small, provider, sessionsOfOneUser)
    return { name, ...growth, many }
  } finally {
    for (const place of opened) await place.close()
  }
}
