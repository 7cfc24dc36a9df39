import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A temporary folder and the processes that run in it. Both are gone when this process is. */
export interface Workplace {
  readonly folder: string
  /** Starts a program; what it says goes to the open file `output`. */
  run(program: string, args: readonly string[], output: number): ChildProcess
}

/** What `inWorkplace` adds to what was started. */
export interface Closable {
  /** Kills every process that was started here and removes the folder. */
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
  const identity = become ? [`--reuid=${user}`, `--regid=${user}`, '--init-groups'] : []
  const command = [...identity, 'sh', LEAVE_NOTHING, folder]
  // In a session of its own it outlives what ends this process and its group.
  const cleaner = spawn('setpriv', command, {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  cleaner.unref()
  ;(cleaner.stdin as Socket).unref()

  const children: ChildProcess[] = []
  const close = async (): Promise<void> => {
    if (!isRunning(cleaner)) return
    const running = [...children.filter(isRunning), cleaner]
    const exits = running.map((child) => once(child, 'exit'))
    cleaner.ref()
    cleaner.stdin.end()
    await Promise.all(exits)
  }
  try {
    const started = await start({
      folder,
      run(program, args, output) {
        const child = spawn('setpriv', [...identity, program, ...args], {
          cwd: folder,
          stdio: ['ignore', output, output],
        })
        children.push(child)
        return child
      },
    })
    return Object.assign(started, { close })
  } catch (error) {
    await close()
    throw error
  }
}

/** Whether a child has not ended yet. */
export function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

const LEAVE_NOTHING = fileURLToPath(new URL('leave-nothing.sh', import.meta.url))
