import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from '../../scripts/build.ts'
import { providePrograms } from '../../scripts/programs.ts'
import type { Need } from './contestant.ts'
import { progress } from './outcome.ts'
import { PEERS } from './versions.ts'

/** What is missing here, and why. */
export type Missing = Readonly<Partial<Record<Need, string>>>

/**
 * Makes a clean clone ready: installs the peers' packages, and Debian's programs as the tests do, and
 * compiles what is imported as published, where that is needed. Answers what is missing in the end.
 */
export function provide(compiled: boolean): Missing {
  return { ...(compiled && provideBuild()), ...providePeers(), ...provideServers() }
}

function provideBuild(): Missing {
  progress('building')
  const problems = build()
  return problems === '' ? {} : { build: `npm run build: ${problems.split('\n')[0]}` }
}

function providePeers(): Missing {
  if (existsSync(join(PEERS, 'node_modules', '.package-lock.json'))) return {}
  progress('installing what coatcheck is compared with (npm ci in bench/peers)')
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync('npm', args, { cwd: PEERS, stdio: 'inherit' })
  return status === 0 ? {} : { peers: 'npm ci failed in bench/peers' }
}

const servers = {
  apache: 'bench/compare/apache.ts',
  redis: 'test/servers/redis.ts',
  postgres: 'test/servers/postgres.ts',
} as const

function provideServers(): Missing {
  const { notRun, problem } = providePrograms(Object.values(servers))
  const names = Object.keys(servers) as (keyof typeof servers)[]
  return Object.fromEntries(
    names
      .filter((name) => notRun.includes(servers[name]))
      .map((name) => [name, problem ?? 'It is not installed.']),
  )
}
