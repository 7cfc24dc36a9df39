import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { freePorts } from './ports.ts'
import { type Server, startServer } from './server.ts'
import { type Closable, inWorkplace } from './workplace.ts'

/** A program that listens. Its working directory is a temporary folder. */
export interface ProgramServer extends Server {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** What it has printed since it was first started. */
  output(): string
}

/** How a program is run. */
export interface ProgramOptions {
  readonly name: string
  /** The program and its arguments; `PORT` in them is the port. */
  readonly command: readonly string[]
  /** On top of the environment of this process and `PORT`. */
  readonly env?: Readonly<Record<string, string>>
  /** Default: any that is free. */
  readonly port?: number
}

/** Starts a program that listens on the port that `PORT` says, and comes back when it does. */
export function startProgram(options: ProgramOptions): Promise<ProgramServer & Closable> {
  const { name, command, env = {} } = options
  return inWorkplace(async (workplace) => {
    const port = options.port ?? (await freePorts(1))[0] ?? 0
    const settings = Object.entries({ PORT: `${port}`, ...env })
    const server = await startServer({
      name,
      port,
      // It becomes what it starts.
      program: 'env',
      args: settings
        .map(([key, value]) => `${key}=${value}`)
        .concat(command.map((argument) => (argument === 'PORT' ? `${port}` : argument))),
      workplace,
      stop: 'SIGTERM',
      answers: () => listens(port),
    })
    const log = join(workplace.folder, `${name}-${port}.log`)
    const url = `http://127.0.0.1:${port}`
    return Object.assign(server, { url, output: () => readFileSync(log, 'utf8') })
  })
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } finally {
    socket.destroy()
  }
}
