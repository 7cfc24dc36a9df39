import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { root } from './run.mjs'

/** A package, and where its program must be. */
interface Program {
  readonly package: string
  path(): string | undefined
  /** Debian does not have it: who runs the tests has to bring it along. */
  readonly elsewhere?: boolean
  /** It is not installed: it comes from Debian's backports, with these, into a folder of its own. */
  readonly unpacked?: { readonly folder: string; readonly with: readonly string[] }
}

/** Where LemonLDAP::NG lies as if it were the root of the system. It is fetched once. */
export const lemonLdapRoot: string = join(root, 'node_modules', '.cache', 'coatcheck', 'lemonldap')

/** The module of the tests that runs a program → the program, and what it needs besides. */
const programs: Record<string, Program | readonly Program[]> = {
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
  'test/servers/nginx.ts': { package: 'nginx-light', path: () => existing('/usr/sbin/nginx') },
  // That of Debian 12 itself has no back-channel logout.
  'test/servers/lemonldap.ts': {
    package: 'liblemonldap-ng-portal-perl',
    path: () => existing(join(lemonLdapRoot, 'usr/bin/starman')),
    unpacked: {
      folder: lemonLdapRoot,
      with: [
        'starman',
        'libcrypt-jwt-perl',
        'libemail-address-xs-perl',
        'libemail-sender-perl',
        'libio-string-perl',
        'libmime-tools-perl',
        'libstring-random-perl',
      ],
    },
  },
  // What coatcheck is measured against.
  'bench/compare/apache.ts': [
    { package: 'apache2-bin', path: () => existing('/usr/sbin/apache2') },
    {
      package: 'libapache2-mod-auth-openidc',
      path: () => existing('/usr/lib/apache2/modules/mod_auth_openidc.so'),
    },
  ],
  'test/servers/dotnet.ts': { package: 'dotnet-sdk-10.0', elsewhere: true, path: dotnetProgram },
  'test/servers/java.ts': { package: 'openjdk-17-jdk-headless', path: javaProgram },
  'test/servers/python.ts': ['python3-flask', 'python3-jwt', 'python3-cryptography'].map(
    (name) => ({
      package: name,
      path: () => existing(`${PYTHON}/${name.replace('python3-', '')}`),
    }),
  ),
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
  const problem = provide(missing)
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

/** `dotnet`, where it has an SDK that builds for .NET 10. */
export function dotnetProgram(): string | undefined {
  const folders = [process.env['DOTNET_ROOT'], ...(process.env['PATH'] ?? '').split(delimiter)]
  return folders
    .flatMap((folder) => (folder ? (existing(join(folder, 'dotnet')) ?? []) : []))
    .map((path) => realpathSync(path))
    .find((path) => {
      const versions = existing(join(dirname(path), 'sdk'))
      return versions !== undefined && readdirSync(versions).some((name) => /^10\./.test(name))
    })
}

/** Debian's JDK 17, which runs a source file as it is. */
export function javaProgram(): string | undefined {
  const folders = existsSync(JAVA) ? readdirSync(JAVA) : []
  return folders
    .filter((name) => /^java-17-openjdk-/.test(name) && existsSync(join(JAVA, name, 'bin/javac')))
    .map((name) => join(JAVA, name, 'bin/java'))[0]
}

/** The packages whose programs a file runs. */
export function packagesOf(file: string): string[] {
  const found = [...modulesOf(file)].flatMap((module) => programs[module] ?? [])
  return found.map((program) => program.package)
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
function provide(missing: readonly string[]): string | undefined {
  const elsewhere = missing.filter((name) => programOf(name)?.elsewhere)
  const beside = missing.filter((name) => programOf(name)?.unpacked)
  const installed = missing.filter((name) => !elsewhere.includes(name) && !beside.includes(name))
  const problems = [
    ...elsewhere.map((name) => `Debian does not have ${name}.`),
    ...beside.map(unpack),
    installed.length > 0 ? install(installed) : undefined,
  ]
  return problems.filter((problem) => problem !== undefined).join(' ') || undefined
}

function install(packages: readonly string[]): string | undefined {
  const command = `apt-get install ${packages.join(' ')}`
  if (!isDebian()) return NOT_DEBIAN
  if (process.getuid?.() !== 0) return `Only root may install them: ${command}`
  console.log(`Installing for the tests: ${command} …`)
  return failure(command, 'apt-install.sh', packages)
}

function unpack(name: string): string | undefined {
  const { folder, with: others } = programOf(name)?.unpacked ?? { folder: '', with: [] }
  if (!isDebian()) return NOT_DEBIAN
  console.log(`Unpacking for the tests, beside what is installed: ${name} of Debian's backports …`)
  return failure(`Unpacking ${name}`, 'apt-unpack.sh', [folder, name, ...others])
}

function failure(what: string, script: string, args: readonly string[]): string | undefined {
  const { status, stderr } = spawnSync('sh', [join(root, 'scripts', script), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  return status === 0 ? undefined : `${what} failed: ${stderr.trim().split('\n').at(-1)}`
}

function isDebian(): boolean {
  return existing('/usr/bin/apt-get') !== undefined
}

function isMissing(name: string): boolean {
  return programOf(name)?.path() === undefined
}

function programOf(name: string): Program | undefined {
  return Object.values(programs)
    .flat()
    .find((program) => program.package === name)
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined
}

const NOT_DEBIAN = 'This is not Debian.'
const JAVA = '/usr/lib/jvm'
/** Debian's own Python reads no other folder for its packages. */
const PYTHON = '/usr/lib/python3/dist-packages'
const POSTGRES = '/usr/lib/postgresql'
const PATHS = /'(\.{1,2}\/[^']+\.(?:ts|mjs))'/g
