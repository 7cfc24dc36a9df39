import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const browser = '/usr/bin/chromium'

/**
 * Makes sure that Debian's Chromium is there for the browser tests, installing it where we may.
 * Answers why it is not there, or nothing.
 */
export function chromiumMissing(): string | undefined {
  if (existsSync(browser)) return undefined
  if (!existsSync('/usr/bin/apt-get')) return `${browser} is missing and this is not Debian`
  if (process.getuid?.() !== 0) {
    return `${browser} is missing and only root may install it: apt-get install chromium`
  }
  console.log('Installing chromium for the browser tests (apt-get) …')
  const problem =
    aptGet(['update']) ?? aptGet(['install', '-y', '--no-install-recommends', 'chromium'])
  if (existsSync(browser)) return undefined
  return `${browser} is missing and apt-get could not install it: ${problem ?? 'no such file'}`
}

/** RUNLEVEL=1 keeps packages from starting services. */
function aptGet(args: string[]): string | undefined {
  const { status, stderr } = spawnSync('apt-get', ['-q', ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  return status === 0 ? undefined : stderr.trim().split('\n').at(-1)
}
