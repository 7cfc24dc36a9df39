import { spawnSync } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/run.mjs'
import { type Summary, summarize } from '../statistics.ts'
import { PEERS } from './versions.ts'

/** What an installation takes, and a start. */
export interface SizeRow {
  readonly name: string
  /** It and all that it depends on, without what the framework brings anyway. */
  readonly packages: number
  readonly megabytes: number
  /** From a process that runs to the module imported. */
  readonly importMilliseconds: Summary
}

interface Measured {
  readonly name: string
  readonly folder: string
  /** What an application imports. */
  readonly modules: readonly string[]
  /** The packages that an application names. */
  readonly packages: readonly string[]
}

/** The packages that are compared. */
const measured: readonly Measured[] = [
  {
    name: 'coatcheck, lmdb',
    folder: root,
    modules: ['coatcheck', 'coatcheck/adapters/express', 'coatcheck/stores/lmdb', 'lmdb'],
    packages: ['coatcheck', 'lmdb'],
  },
  {
    name: 'coatcheck, redis',
    folder: root,
    modules: ['coatcheck', 'coatcheck/adapters/express', 'coatcheck/stores/redis', 'redis'],
    packages: ['coatcheck', 'redis'],
  },
  {
    name: 'express-openid-connect, redis',
    folder: PEERS,
    modules: ['express-openid-connect', 'connect-redis', 'redis'],
    packages: ['express-openid-connect', 'connect-redis', 'redis'],
  },
  {
    name: 'MSAL Node, redis',
    folder: PEERS,
    modules: ['@azure/msal-node', 'express-session', 'connect-redis', 'redis'],
    packages: ['@azure/msal-node', 'express-session', 'connect-redis', 'redis'],
  },
  {
    name: 'Auth.js',
    folder: PEERS,
    modules: ['@auth/express'],
    packages: ['@auth/express'],
  },
  {
    name: 'better-auth',
    folder: PEERS,
    modules: ['better-auth', 'better-auth/node', 'better-auth/plugins'],
    packages: ['better-auth'],
  },
  {
    name: '@hono/oidc-auth',
    folder: PEERS,
    modules: ['@hono/oidc-auth'],
    packages: ['@hono/oidc-auth'],
  },
]

/** Imports all by turns; the first round fills the caches of the disk. */
export function measureSize(rounds: number): SizeRow[] {
  const times = new Map<string, number[]>(measured.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const one of measured) {
      const time = importTime(one)
      if (round > 0) times.get(one.name)?.push(time)
    }
  }
  return measured.map(({ name, folder, packages }) => {
    const all = closure(folder, packages)
    const bytes = all.reduce((sum, path) => sum + sizeOf(path), 0)
    return {
      name,
      packages: all.length,
      megabytes: Number((bytes / 1e6).toFixed(1)),
      importMilliseconds: summarize(times.get(name) ?? []),
    }
  })
}

function importTime({ folder, modules, name }: Measured): number {
  const code = `const start = performance.now()
await import('node:http')
const before = performance.now()
for (const name of ${JSON.stringify(modules)}) await import(name)
console.log(performance.now() - before)`
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', code],
    { cwd: folder, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${name} cannot be imported: ${stderr}`)
  return Number(stdout)
}

interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly link?: boolean
  readonly resolved?: string
}

/** Folders of packages and of all that they depend on, as the lockfile has them and the disk. */
function closure(folder: string, names: readonly string[]): string[] {
  const locked: Readonly<Record<string, Locked>> = JSON.parse(
    readFileSync(join(folder, 'package-lock.json'), 'utf8'),
  ).packages
  const found = new Set<string>()
  const add = (name: string, from: string): void => {
    let path = ''
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules') - 1))) {
      path = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`
      if (locked[path] !== undefined || at === '') break
    }
    const entry = locked[path]
    const real = entry?.link ? (entry.resolved ?? path) : path
    // An optional one for another machine is not there.
    if (entry === undefined || found.has(real) || !exists(join(folder, real))) return
    found.add(real)
    const { dependencies = {}, optionalDependencies = {} } = locked[real] ?? {}
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) add(next, path)
  }
  for (const name of names) add(name, '')
  return [...found].map((path) => join(folder, path))
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Of what is published: our own sources and tests of the workspace are not. */
function sizeOf(path: string): number {
  if (!path.includes('node_modules')) return treeOf(join(path, 'dist'))
  return treeOf(path)
}

function treeOf(path: string): number {
  const stat = lstatSync(path)
  if (!stat.isDirectory()) return stat.size
  return readdirSync(path)
    .filter((name) => name !== 'node_modules')
    .reduce((sum, name) => sum + treeOf(join(path, name)), 0)
}
