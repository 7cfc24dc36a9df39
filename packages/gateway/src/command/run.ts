import { CommanderError } from 'commander'
import type { Environment } from '../configuration/environment.ts'
import { type ExitCode, FINE, WRONG_USE } from './exit-codes.ts'
import { failureOf } from './failure.ts'
import { createProgram } from './program.ts'
import type { Terminal } from './terminal.ts'

/** Runs a command line, and says how it ended. Never rejects: a person reads a sentence. */
export async function run(
  args: readonly string[],
  terminal: Terminal,
  environment: Environment,
): Promise<ExitCode> {
  let code: ExitCode = FINE
  const program = createProgram(terminal, environment, (ended) => {
    code = ended
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return isAnswer(error) ? FINE : WRONG_USE
    const failure = failureOf(error)
    terminal.complain(failure.text)
    return failure.code
  }
}

/** Help and version that somebody asked for; commander has printed them. */
function isAnswer({ code }: CommanderError): boolean {
  return ['commander.helpDisplayed', 'commander.version'].includes(code)
}
