import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/run.mjs'
import type { Contestant } from './contestant.ts'

/** Where the peers' packages are. */
export const PEERS: string = join(root, 'bench', 'peers')

/** Of an npm package as it runs here. */
function versionOf(name: string): string {
  const folders = [join(PEERS, 'node_modules', name), join(root, 'node_modules', name)]
  const folder = folders.find((each) => existsSync(join(each, 'package.json')))
  if (folder === undefined) return 'missing'
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version
}

/** Of a package that Debian installed. */
function debianVersionOf(name: string): string {
  const { stdout } = spawnSync('dpkg', ['--status', name], { encoding: 'utf8' })
  return /^Version: (.+)$/m.exec(stdout ?? '')?.[1] ?? 'missing'
}

/** Of everything that is compared, and of what it runs on: package → version. */
export function versionsOf(
  contestants: readonly Pick<Contestant, 'packages'>[],
): Record<string, string> {
  const packages = new Set(contestants.flatMap((one) => one.packages))
  const found = [...packages, ...BESIDE].map((name) => [name, versionOf(name)])
  const debian = DEBIAN.map((name) => [name, debianVersionOf(name)])
  return Object.fromEntries([...found, ...debian])
}

const BESIDE = ['jose', 'oidc-provider', 'autocannon', 'redis', 'lmdb', 'ioredis', 'pg']
const DEBIAN = ['apache2-bin', 'libapache2-mod-auth-openidc', 'redis-server']
