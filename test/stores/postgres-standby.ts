import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { postgresPrograms } from '../../scripts/programs.ts'
import { freePorts } from '../servers/ports.ts'
import {
  type PostgresAddress,
  type PostgresServer,
  postgresAnswers,
  postgresAt,
} from '../servers/postgres.ts'
import { startServer } from '../servers/server.ts'
import { type Closable, inWorkplace } from '../servers/workplace.ts'

/** Starts a standby of a Postgres: it answers questions and follows what the other one commits. */
export async function startStandby(primary: PostgresServer): Promise<PostgresAddress & Closable> {
  const programs = postgresPrograms()
  if (programs === undefined) throw new Error('Postgres is missing: apt-get install postgresql')
  return inWorkplace(async (workplace) => {
    const data = join(workplace.folder, 'data')
    const [port = 0] = await freePorts(1)
    const from = ['-h', '127.0.0.1', '-p', `${primary.port}`, '-U', 'postgres']
    const copy = ['-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync', ...from]
    const log = join(workplace.folder, 'pg_basebackup.log')
    const output = openSync(log, 'a')
    const copying = workplace.run(join(programs, 'pg_basebackup'), copy, output)
    closeSync(output)
    const [code] = await once(copying, 'exit')
    if (code !== 0) throw new Error(`pg_basebackup failed:\n${readFileSync(log, 'utf8')}`)
    const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '' }
    const address = postgresAt(port)
    await startServer({
      name: 'standby',
      port,
      program: join(programs, 'postgres'),
      args: [
        '-D',
        data,
        ...Object.entries(settings).flatMap(([name, to]) => ['-c', `${name}=${to}`]),
      ],
      workplace,
      stop: 'SIGINT',
      answers: () => postgresAnswers(address),
    })
    return address
  }, 'postgres')
}
