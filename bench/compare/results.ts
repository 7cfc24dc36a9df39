import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../../scripts/run.mjs'
import type { Machine } from '../machine.ts'
import type { ScaleRow } from '../scale/store.ts'
import type { CallsRow } from './calls.ts'
import type { GatewayTable } from './gateway.ts'
import type { HotPathRow } from './hot-path.ts'
import type { SignOutRow } from './sign-out.ts'
import type { SizeRow } from './size.ts'
import type { SpaceRow } from './space.ts'
import type { StormRow } from './storm.ts'

/** All of one run, as far as it came. */
export interface Results {
  readonly machine: Machine
  readonly quick: boolean
  readonly minutes: number
  /** Of everything that was compared: package → version. */
  readonly versions: Readonly<Record<string, string>>
  /** How much each part did: part → its settings. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly hotPath?: readonly HotPathRow[]
  readonly calls?: readonly CallsRow[]
  readonly signOut?: readonly SignOutRow[]
  readonly storm?: readonly StormRow[]
  readonly gateway?: readonly GatewayTable[]
  readonly scale?: readonly ScaleRow[]
  readonly space?: readonly SpaceRow[]
  readonly size?: readonly SizeRow[]
  /** Who was not measured because something is not installed here: name → what. */
  readonly leftOut: Readonly<Record<string, string>>
  /** Who should have been measured, and failed: part and name → the error. */
  readonly failed: Readonly<Record<string, string>>
}

/** Where the last whole run is kept: the README's section is of it. */
export const LATEST: string = join(root, 'bench', 'results', 'latest.json')

/** Where the last quick run is kept; it is in nobody's repository. */
export const QUICK: string = join(root, 'bench', 'results', 'quick.json')

/** The last whole run that was kept. */
export function readResults(): Results {
  return JSON.parse(readFileSync(LATEST, 'utf8'))
}

/** Keeps a run. */
export function writeResults(file: string, results: Results): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
}
