import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { postgresPrograms } from '../../scripts/programs.ts'
import { freePorts } from './ports.ts'
import { type Server, startServer } from './server.ts'
import { type Closable, inWorkplace, type Workplace } from './workplace.ts'

/** Where a Postgres, or a pooler before one, is reached. Anybody who asks is trusted. */
export interface PostgresAddress {
  /** As `new Pool(config)` of `pg` takes it. */
  readonly config: {
    readonly host: string
    readonly port: number
    readonly user: string
    readonly database: string
  }
  /** The same as `postgres://…` */
  readonly url: string
}

/** A Postgres with an empty database. It keeps what was committed over a crash and a restart. */
export interface PostgresServer extends Server, PostgresAddress {}

/** How a Postgres differs from a fresh one. */
export interface PostgresOptions {
  /** Whether a commit waits for the disk; off by default. A killed process loses nothing by it. */
  readonly fsync?: boolean
  /** Settings of `postgresql.conf`, as in `{ max_connections: '200' }`. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Makes a data folder and starts the newest Postgres of this machine in it. */
export function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer & Closable> {
  const programs = postgresPrograms()
  if (programs === undefined) throw new Error('Postgres is missing: apt-get install postgresql')
  return inWorkplace(async (workplace) => {
    const data = join(workplace.folder, 'data')
    await makeDataFolder(workplace, join(programs, 'initdb'), data)
    const [port = 0] = await freePorts(1)
    const address = postgresAt(port)
    const server = await startServer({
      name: 'postgres',
      port,
      program: join(programs, 'postgres'),
      args: ['-D', data, ...settingsOf(port, options)],
      workplace,
      stop: 'SIGINT',
      answers: () => postgresAnswers(address),
    })
    return Object.assign(server, address)
  }, 'postgres')
}

/** How `pg` reaches what listens there: a Postgres, a pooler, a proxy. */
export function postgresAt(port: number): PostgresAddress {
  const config = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' }
  return { config, url: `postgres://postgres@127.0.0.1:${port}/postgres` }
}

/** Whether a query goes through. */
export async function postgresAnswers({ config }: PostgresAddress): Promise<boolean> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 1000, query_timeout: 1000 })
  // What goes wrong with the connection fails the query too.
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query('select 1')).rowCount === 1
  } finally {
    await client.end()
  }
}

async function makeDataFolder(workplace: Workplace, initdb: string, data: string): Promise<void> {
  const log = join(workplace.folder, 'initdb.log')
  const output = openSync(log, 'a')
  const settings = ['-A', 'trust', '-U', 'postgres', '--locale=C', '--encoding=UTF8', '--no-sync']
  const child = workplace.run(initdb, ['-D', data, ...settings], output)
  closeSync(output)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`initdb failed:\n${readFileSync(log, 'utf8')}`)
}

function settingsOf(port: number, { fsync = false, settings = {} }: PostgresOptions): string[] {
  const all = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: fsync ? 'on' : 'off',
    ...settings,
  }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
