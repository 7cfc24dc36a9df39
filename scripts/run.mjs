import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the workspace. */
export const root = fileURLToPath(new URL('..', import.meta.url))

const ours = join(root, 'node_modules', '.bin')

/**
 * Runs a program to its end and answers its exit code (128 + n for signal n).
 *
 * The program gets a process group of its own. A Ctrl-C reaches this process twice, from the
 * terminal and from npm, and must reach the program once; so only what we forward gets there. Who
 * asks again a second later means it, and the whole group is killed. (The npm scripts say `exec`,
 * since a shell between npm and this process would keep a signal to itself.)
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>}
 */
export function run(program, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    })
    let askedAt = 0
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      if (askedAt === 0) {
        askedAt = Date.now()
        child.kill(signal)
      } else if (Date.now() - askedAt > 1000 && child.pid !== undefined) {
        process.kill(-child.pid, 'SIGKILL')
      }
    }
    const signals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])
    for (const signal of signals) process.on(signal, forward)
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward)
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL'])
    })
  })
}

/**
 * Runs a TypeScript file with the Node 24 of the dev-dependencies, also first for its children.
 *
 * @param {string} file
 * @param {readonly string[]} args
 */
export function runFile(file, args) {
  const PATH = [ours, ...otherPath()].join(delimiter)
  return run(join(ours, 'node'), [file, ...args], { ...process.env, PATH })
}

/** PATH without any `node_modules/.bin`: there the machine's own node and npm are found. */
export function otherPath() {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '' && !folder.includes('node_modules'))
}
