import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../../scripts/run.mjs'
import type { HotPathRow, HotPathSettings } from './hot-path.ts'
import type { SignOutRow, SignOutSettings } from './sign-out.ts'
import type { SizeRow, SpaceRow } from './size.ts'
import type { StormRow } from './storm.ts'
import type { Machine } from './versions.ts'

/** All of one run. */
export interface Results {
  readonly machine: Machine
  readonly quick: boolean
  /** Of everything that was compared: package → version. */
  readonly versions: Readonly<Record<string, string>>
  readonly settings: { readonly hotPath: HotPathSettings; readonly signOut: SignOutSettings }
  readonly hotPath: readonly HotPathRow[]
  readonly signOut: readonly SignOutRow[]
  readonly storm?: readonly StormRow[]
  readonly size?: readonly SizeRow[]
  readonly space?: readonly SpaceRow[]
  /** Who was left out, and why: name → the error. */
  readonly failed: Readonly<Record<string, string>>
}

/** Where the last whole run is kept: the README's section is of it. */
export const LATEST: string = join(root, 'bench', 'results', 'latest.json')

/** Where the last quick run is kept; it is in nobody's repository. */
const QUICK: string = join(root, 'bench', 'results', 'quick.json')

/** The last whole run that was kept. */
export function readResults(): Results {
  return JSON.parse(readFileSync(LATEST, 'utf8'))
}

/** Keeps a run. Answers where. */
export function writeResults(results: Results): string {
  const file = results.quick ? QUICK : LATEST
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  return file
}
