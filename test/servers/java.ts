import { javaProgram } from '../../scripts/programs.ts'
import { type ProgramServer, startProgram } from './program.ts'
import type { Closable } from './workplace.ts'

/** Runs a source file on Java 17, which compiles it in memory. It listens where `PORT` says. */
export function startJava(
  source: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ProgramServer & Closable> {
  const program = javaProgram()
  if (program === undefined) throw new Error('The JDK 17 is missing.')
  return startProgram({ name: 'java', command: [program, source], env })
}
