import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { root } from '../../scripts/run.mjs'

/** On what and when it was measured. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGigabytes: number
  readonly node: string
  readonly date: string
  /** Of the last minute, before the first measure: more than a few tenths is somebody else's work. */
  readonly load: number
}

/** This one, now. */
export function thisMachine(): Machine {
  const all = cpus()
  return {
    cpu: all[0]?.model.replaceAll(/\s+/g, ' ').trim() ?? 'unknown',
    cores: all.length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    load: Number(loadavg()[0]?.toFixed(2)),
  }
}

/** Where the peers' packages are. */
export const PEERS: string = join(root, 'bench', 'peers')

/** The version of an npm package as it runs here. */
export function versionOf(name: string): string {
  const folders = [join(PEERS, 'node_modules', name), join(root, 'node_modules', name)]
  const folder = folders.find((each) => existsSync(join(each, 'package.json')))
  if (folder === undefined) return 'missing'
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version
}

/** The version of a package that Debian installed. */
export function debianVersionOf(name: string): string {
  const { stdout } = spawnSync('dpkg', ['--status', name], { encoding: 'utf8' })
  return /^Version: (.+)$/m.exec(stdout ?? '')?.[1] ?? 'missing'
}
