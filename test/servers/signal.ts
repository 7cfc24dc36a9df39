import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { isRunning } from './workplace.ts'

/**
 * Kills, stops or continues a child together with its own children, of which a Postgres has one for
 * each connection. Any other signal is for the child alone: what it means is the child's affair.
 */
export function signal(child: ChildProcess, name: NodeJS.Signals): void {
  const { pid } = child
  if (pid === undefined || !isRunning(child)) return
  if (!['SIGKILL', 'SIGSTOP', 'SIGCONT'].includes(name)) child.kill(name)
  else for (const one of [pid, ...childrenOf(pid)]) signalOne(one, name)
}

/** A parent that is stopped has no new ones while they are counted. It may stop in the middle of one. */
function childrenOf(pid: number): number[] {
  signalOne(pid, 'SIGSTOP')
  while (/\) [RSD] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')));
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
