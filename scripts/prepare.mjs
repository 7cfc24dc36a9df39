import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { otherPath, root, run } from './run.mjs'

/**
 * Makes a clean clone ready: installs what `package-lock.json` names, unless it is there already.
 * Runs on whatever Node the machine has. Ends the process where installing fails.
 */
export async function prepare() {
  if (installed()) return
  console.log('Installing the development dependencies (npm ci) …')
  // Not the node of node_modules: npm ci deletes it under its own feet.
  const code = await run('npm', ['ci', '--no-audit', '--no-fund'], {
    ...process.env,
    PATH: otherPath().join(delimiter),
  })
  if (code !== 0) {
    console.error('npm ci failed. It needs the npm registry, or a proxy of it, within reach.')
    process.exit(code)
  }
  if (!installed()) {
    console.error(
      'npm ci left no Node 24 in node_modules/node: install scripts must be allowed (ignore-scripts=false).',
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
