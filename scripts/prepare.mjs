import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { otherPath, root, run } from './run.mjs'

/**
 * Makes a clean clone ready: installs what `package-lock.json` names, unless it is there already.
 * Runs on whatever Node the machine has. Ends the process where installing fails.
 */
export async function prepare() {
  if (installed()) return
  console.log('Installing the development dependencies (npm install) …')
  // Not `npm ci`: it refuses a lockfile that was written where the optional binaries for other
  // platforms are not to be had. `--no-save` installs what is locked and leaves the lockfile alone.
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  // The machine's own Node, since the one in node_modules may be replaced under its feet.
  const code = await run('npm', args, { ...process.env, PATH: otherPath().join(delimiter) })
  if (code !== 0) {
    console.error('npm install failed. It needs the npm registry, or a proxy of it, within reach.')
    process.exit(code)
  }
  if (!installed()) {
    console.error(
      'npm install did not bring all of package-lock.json and Node 24: install scripts must be allowed (ignore-scripts=false).',
    )
    process.exit(1)
  }
}

/**
 * npm leaves a stamp of what it finished installing in node_modules/.package-lock.json. It is as
 * good as new when it has every package that the lockfile asks for here.
 */
function installed() {
  const stamp = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(stamp) || !existsSync(join(root, 'node_modules', 'node', 'bin', 'node'))) {
    return false
  }
  const wanted = packages(join(root, 'package-lock.json'))
  const present = packages(stamp)
  return Object.entries(wanted).every(
    ([path, { version, integrity, link, optional, peer }]) =>
      path === '' ||
      // An optional package for another platform, or a peer that nobody here needs.
      ((optional || peer) && present[path] === undefined) ||
      (present[path] !== undefined &&
        present[path].link === link &&
        present[path].version === version &&
        present[path].integrity === integrity),
  )
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, integrity?: string, link?: boolean, optional?: boolean, peer?: boolean }>}
 */
function packages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages
}
