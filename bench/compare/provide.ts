import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { APACHE, apaches, MODULES } from './apache.ts'
import { PEERS } from './versions.ts'

/**
 * Installs the peers' packages where they are not there. Who cannot run here, and why, is answered:
 * Apache and its module are Debian's, and only root may install them.
 */
export function providePeers(): Record<string, string> {
  const stamp = join(PEERS, 'node_modules', '.package-lock.json')
  if (!existsSync(stamp)) {
    console.log('Installing what coatcheck is compared with (npm ci --prefix bench/peers) …')
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
    const { status } = spawnSync('npm', args, { cwd: PEERS, stdio: 'inherit' })
    if (status !== 0) throw new Error(`npm ci failed in ${PEERS}.`)
  }
  const module = join(MODULES, 'mod_auth_openidc.so')
  if (existsSync(APACHE) && existsSync(module)) return {}
  const why = 'It is not installed: apt-get install apache2-bin libapache2-mod-auth-openidc'
  return Object.fromEntries(apaches.map(({ name }) => [name, why]))
}
