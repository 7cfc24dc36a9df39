import type { PlaceName } from '../scale/places.ts'
import type { ScaleSettings } from '../scale/store.ts'
import type { CallsSettings } from './calls.ts'
import type { GatewaySettings } from './gateway.ts'
import type { HotPathSettings } from './hot-path.ts'
import type { SignOutSettings } from './sign-out.ts'
import type { SpaceSettings } from './space.ts'
import type { StormSettings } from './storm.ts'

/** How much each part of a run does. */
export interface Settings {
  readonly 'hot-path': HotPathSettings
  readonly 'sign-out': SignOutSettings
  readonly storm: StormSettings
  readonly gateway: GatewaySettings
  readonly space: SpaceSettings
  readonly scale: Readonly<Record<PlaceName, ScaleSettings>>
  readonly calls: CallsSettings
  readonly size: { readonly rounds: number }
}

/** The whole run: some 25 minutes on two cores that do nothing else. */
export const whole: Settings = {
  'hot-path': { rounds: 7, seconds: 1.5, warmUpSeconds: 8, connections: 32, users: 20 },
  'sign-out': { rounds: 5, logouts: 1_000, signIns: 150, connections: 32 },
  storm: { processes: 4, requests: 1_000, users: 100 },
  gateway: {
    rounds: 5,
    seconds: 2,
    warmUpSeconds: 8,
    connections: [32, 1_000],
    signOutsPerSecond: 50,
  },
  space: { inMemory: 100_000, signIns: 100 },
  scale: {
    lmdb: { sessions: [1_000, 100_000, 1_000_000], rounds: 100, sessionsOfOneUser: 10_000 },
    // A million in Redis take 4 GB, and in Postgres half an hour: `npm run bench:scale`.
    redis: { sessions: [1_000, 100_000], rounds: 100, sessionsOfOneUser: 10_000 },
    postgres: { sessions: [1_000, 100_000], rounds: 100, sessionsOfOneUser: 10_000 },
  },
  calls: { rounds: 9, calls: 20_000 },
  size: { rounds: 5 },
}

/** Its first two parts in less than a minute. */
export const quick: Settings = {
  ...whole,
  'hot-path': { rounds: 2, seconds: 0.2, warmUpSeconds: 0.3, connections: 32, users: 1 },
  'sign-out': { rounds: 2, logouts: 120, signIns: 16, connections: 16 },
}

/** Everything, with numbers so small that they say nothing: whether it runs. */
export const trial: Settings = {
  'hot-path': { rounds: 1, seconds: 0.2, warmUpSeconds: 0.2, connections: 8, users: 1 },
  'sign-out': { rounds: 1, logouts: 100, signIns: 10, connections: 8 },
  storm: { processes: 4, requests: 40, users: 4 },
  gateway: {
    rounds: 1,
    seconds: 0.5,
    warmUpSeconds: 0.5,
    connections: [8, 100],
    signOutsPerSecond: 10,
  },
  space: { inMemory: 1_000, signIns: 5 },
  scale: {
    lmdb: { sessions: [100, 1_000, 2_000], rounds: 5, sessionsOfOneUser: 100 },
    redis: { sessions: [100, 1_000], rounds: 5, sessionsOfOneUser: 100 },
    postgres: { sessions: [100, 1_000], rounds: 5, sessionsOfOneUser: 100 },
  },
  calls: { rounds: 2, calls: 500 },
  size: { rounds: 1 },
}
