import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './ports.ts'
import { type PostgresAddress, postgresAnswers, postgresAt } from './postgres.ts'
import { type Server, startServer } from './server.ts'
import { type Closable, inWorkplace } from './workplace.ts'

/** A PgBouncer in front of a Postgres. */
export interface PgBouncer extends Server, PostgresAddress {}

/** Settings of `[pgbouncer]`, as in `{ default_pool_size: '2' }`. */
export interface PgBouncerOptions {
  readonly settings?: Readonly<Record<string, string>>
}

/**
 * Starts a PgBouncer in transaction mode: two transactions of one client may run on two connections
 * of the Postgres (or the proxy) at that port.
 */
export function startPgBouncer(
  postgres: { readonly port: number },
  { settings = {} }: PgBouncerOptions = {},
): Promise<PgBouncer & Closable> {
  return inWorkplace(async (workplace) => {
    const [port = 0] = await freePorts(1)
    const users = join(workplace.folder, 'users.txt')
    const file = join(workplace.folder, 'pgbouncer.ini')
    const all = {
      listen_addr: '127.0.0.1',
      listen_port: port,
      unix_socket_dir: '',
      auth_type: 'trust',
      auth_file: users,
      pool_mode: 'transaction',
      // Seconds for which it says no after one failure, which is a quarter of a minute otherwise.
      server_login_retry: 1,
      ...settings,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
    const databases = `[databases]\n* = host=127.0.0.1 port=${postgres.port}`
    writeFileSync(users, '"postgres" ""\n')
    writeFileSync(file, `${databases}\n[pgbouncer]\n${lines.join('\n')}\n`)
    const address = postgresAt(port)
    const server = await startServer({
      name: 'pgbouncer',
      port,
      program: '/usr/sbin/pgbouncer',
      args: [file],
      workplace,
      stop: 'SIGTERM',
      answers: () => postgresAnswers(address),
    })
    return Object.assign(server, address)
  }, 'postgres')
}
