import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder and the processes that run in it. Both are gone when this process is. */
export interface Workplace {
  readonly folder: string
  /** Starts a program; what it says goes to the open file `output`. */
  run(program: string, args: readonly string[], output?: number): ChildProcess
  /** Kills, stops or continues a child and its own children (Postgres has one per connection); asks only itself to end. */
  signal(child: ChildProcess, signal: NodeJS.Signals): void
}

/** What `inWorkplace` adds to what was started. */
export interface Closable {
  /** Ends every process that was started here and removes the folder. */
  close(): Promise<void>
}

/**
 * Starts something in a folder of its own. `user` is who its processes are where this one is root:
 * some servers refuse to be. If the start fails nothing is left of it.
 */
export async function inWorkplace<Started extends object>(
  start: (workplace: Workplace) => Promise<Started>,
  user?: string,
): Promise<Started & Closable> {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-servers-'))
  const become = process.getuid?.() === 0 && user !== undefined
  if (become) execFileSync('chown', [user, folder])
  // The kernel kills them where this process is killed itself and cannot.
  const mortal = ['--pdeathsig', 'KILL']
  const identity = become ? [`--reuid=${user}`, `--regid=${user}`, '--init-groups'] : []
  const children = new Set<ChildProcess>()

  const endNow = (): void => {
    for (const child of children) signal(child, 'SIGKILL')
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  const close = async (): Promise<void> => {
    process.off('exit', endNow)
    const exits = [...children].map((child) => once(child, 'exit'))
    for (const child of children) signal(child, 'SIGKILL')
    await Promise.all(exits)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  const workplace: Workplace = {
    folder,
    signal,
    run(program, args, output) {
      const out = output ?? 'ignore'
      const child = spawn('setpriv', [...mortal, ...identity, program, ...args], {
        cwd: folder,
        stdio: ['ignore', out, out],
      })
      children.add(child)
      child.once('exit', () => children.delete(child))
      return child
    },
  }
  process.once('exit', endNow)
  try {
    return Object.assign(await start(workplace), { close })
  } catch (error) {
    await close()
    throw error
  }
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  const { pid } = child
  if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  // A polite word to the parent is passed on by itself.
  if (!['SIGKILL', 'SIGSTOP', 'SIGCONT'].includes(name)) child.kill(name)
  else for (const one of [pid, ...childrenOf(pid)]) signalOne(one, name)
}

/** A parent that is stopped has no new ones while they are counted. */
function childrenOf(pid: number): number[] {
  signalOne(pid, 'SIGSTOP')
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return children.split(' ').filter(Boolean).map(Number)
}

function signalOne(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    // It ended by itself in between.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
