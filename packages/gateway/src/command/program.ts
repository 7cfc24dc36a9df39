import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import type { Environment } from '../configuration/environment.ts'
import { jsonSchema } from '../configuration/schema.ts'
import { check } from './check.ts'
import { type DoctorOptions, doctor } from './doctor.ts'
import { type ExitCode, FINE } from './exit-codes.ts'
import { gateway } from './gateway.ts'
import { migrate } from './migrate.ts'
import { checkHandle } from './named.ts'
import type { Invocation } from './opened.ts'
import { type RemainsCommandOptions, remains } from './remains.ts'
import { listSessions, showSession } from './sessions.ts'
import { type SignOutOptions, signOut } from './sign-out.ts'
import type { Terminal } from './terminal.ts'

interface Shared {
  readonly config?: string
  readonly json?: boolean
}

/** The command line. What a command comes to goes to `ended`; what it cannot do, it throws. */
export function createProgram(
  terminal: Terminal,
  environment: Environment,
  ended: (code: ExitCode) => void,
): Command {
  const program = new Command('coatcheck')
    .description('Signs users in for applications in any language, and out everywhere at once.')
    .version(version())
    .showSuggestionAfterError()
    .showHelpAfterError('(write --help for what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.complain(text.trimEnd()),
    })
    .addHelpText('after', EXIT_CODES)

  function invocationOf({ config }: Shared): Invocation {
    return { terminal, environment, config }
  }

  function add<Options extends Shared>(
    command: Command,
    act: (invocation: Invocation, options: Options) => Promise<ExitCode>,
  ): void {
    command
      .option('-c, --config <file>', 'configuration (default: $COATCHECK_CONFIG, coatcheck.yaml)')
      .action(async (options: Options) => ended(await act(invocationOf(options), options)))
  }

  add(program.command('gateway').description('run the gateway'), gateway)
  add(program.command('check').description('look for mistakes in the configuration'), check)
  add<Shared & DoctorOptions>(
    program
      .command('doctor')
      .description('say who can end a session and how that is heard of, and what is wrong')
      .option('--strict', 'warnings count as problems')
      .option('--json', 'for programs'),
    doctor,
  )
  add(program.command('migrate').description('make the tables in Postgres'), migrate)

  const sessions = program.command('sessions').description('who is signed in')
  add<Shared & { readonly subject: string }>(
    sessions
      .command('list')
      .description('every session of a user')
      .requiredOption('--subject <sub>', 'the user, as the provider names it')
      .option('--json', 'for programs'),
    (invocation, { subject, json = false }) => listSessions(invocation, { subject, json }),
  )
  sessions
    .command('show')
    .description('one session')
    .argument('<session>', 'its handle, as `sessions list` shows it')
    .option('--json', 'for programs')
    .option('-c, --config <file>', 'configuration')
    .action(async (session: string, options: Shared) => {
      const handle = checkHandle(session)
      ended(await showSession(invocationOf(options), { handle, json: options.json ?? false }))
    })

  add<Shared & SignOutOptions>(
    named(program.command('sign-out').description('sign somebody out everywhere'))
      .option('--all', 'every session in the store')
      .option('-y, --yes', 'do not ask')
      .option('--json', 'show the receipt for programs'),
    signOut,
  )
  add<Shared & RemainsCommandOptions>(
    named(program.command('remains').description('look for what is left of somebody'))
      .option('--file <path...>', 'look into this file too: a backup, a dump of Redis')
      .option('--json', 'for programs'),
    remains,
  )

  program
    .command('schema')
    .description('print the JSON Schema of the configuration')
    .action(() => {
      terminal.print(JSON.stringify(jsonSchema(), undefined, 2))
      ended(FINE)
    })
  return program
}

function named(command: Command): Command {
  return command
    .option('--subject <sub>', 'everything of a user, as the provider names it')
    .option('--sid <sid>', 'a session of the provider')
    .option('--session <handle>', 'one session here, by its handle')
}

const EXIT_CODES = `
Exit codes: 0 fine, 1 something was found or could not be done, 2 the command line or the
configuration is wrong.`

function version(): string {
  const manifest = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
