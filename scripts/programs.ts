import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './run.mjs'

/** The module of the tests that runs a program → its package in Debian, and where it must be. */
const programs: Record<string, { readonly package: string; path(): string | undefined }> = {
  'test/browser/chromium.ts': { package: 'chromium', path: () => existing('/usr/bin/chromium') },
  // A Sentinel is the same program.
  'test/servers/redis.ts': {
    package: 'redis-server',
    path: () => existing('/usr/bin/redis-server'),
  },
  'test/servers/postgres.ts': { package: 'postgresql', path: postgresPrograms },
  'test/servers/pgbouncer.ts': {
    package: 'pgbouncer',
    path: () => existing('/usr/sbin/pgbouncer'),
  },
}

/** Which test files can run, and why the others cannot. */
export interface Provided {
  readonly ready: string[]
  readonly notRun: string[]
  readonly problem?: string
}

/**
 * Makes sure that the programs of these test files are there, installing what is missing where we
 * may. A test file needs a program if it names its module, or names a module that does.
 */
export function providePrograms(files: readonly string[]): Provided {
  const needed = new Map(files.map((file) => [file, packagesOf(file)]))
  const missing = [...new Set([...needed.values()].flat())].filter(isMissing).sort()
  const problem = missing.length > 0 ? install(missing) : undefined
  const notRun = files.filter((file) => needed.get(file)?.some(isMissing))
  const ready = files.filter((file) => !notRun.includes(file))
  if (notRun.length === 0) return { ready, notRun }
  const still = missing.filter(isMissing).join(' ')
  return { ready, notRun, problem: `Missing for tests: ${still}. ${problem ?? 'Unknown why.'}` }
}

/** The folder of the newest Postgres server, in Debian's way: one folder for each version. */
export function postgresPrograms(): string | undefined {
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES) : []
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(POSTGRES, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'postgres')))
}

/** The packages whose programs a file runs. */
export function packagesOf(file: string): string[] {
  return [...modulesOf(file)].flatMap((module) => programs[module]?.package ?? [])
}

/** A file and every module that it, or one of these, names by a path: imports, and child processes. */
function modulesOf(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file) || !existsSync(join(root, file))) return found
  found.add(file)
  for (const [, path = ''] of readFileSync(join(root, file), 'utf8').matchAll(PATHS)) {
    modulesOf(join(dirname(file), path), found)
  }
  return found
}

/** Answers why it could not. */
function install(packages: readonly string[]): string | undefined {
  const command = `apt-get install ${packages.join(' ')}`
  if (existing('/usr/bin/apt-get') === undefined) return 'This is not Debian.'
  if (process.getuid?.() !== 0) return `Only root may install them: ${command}`
  console.log(`Installing for the tests: ${command} …`)
  const script = join(root, 'scripts', 'apt-install.sh')
  const { status, stderr } = spawnSync('sh', [script, ...packages], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  return status === 0 ? undefined : `${command} failed: ${stderr.trim().split('\n').at(-1)}`
}

function isMissing(name: string): boolean {
  const found = Object.values(programs).find((program) => program.package === name)
  return found?.path() === undefined
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined
}

const POSTGRES = '/usr/lib/postgresql'
const PATHS = /'(\.{1,2}\/[^']+\.(?:ts|mjs))'/g
