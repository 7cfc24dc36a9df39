import { type ProgramServer, startProgram } from './program.ts'
import type { Closable } from './workplace.ts'

/** Debian's Python. */
export const PYTHON = '/usr/bin/python3'

/**
 * Runs it, which finds Debian's packages, with these arguments. It listens where `PORT`
 * says; `PORT` among the arguments is that port.
 */
export function startPython(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramServer & Closable> {
  const quiet = { PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' }
  const command = [PYTHON, ...args]
  return startProgram({ name: 'python', command, env: { ...quiet, ...env } })
}
