import { Redis as Client } from 'ioredis'
import { freePorts } from './ports.ts'
import { type Server, startServer } from './server.ts'
import { type Closable, inWorkplace, type Workplace } from './workplace.ts'

/** A Redis 7 that keeps nothing on disk unless its arguments say otherwise. */
export interface RedisServer extends Server {
  /** `redis://127.0.0.1:port` */
  readonly url: string
  /** Asks it one command on a connection of its own; for looking behind a store, and for waiting. */
  ask(...command: readonly [string, ...string[]]): Promise<unknown>
}

/** Further arguments of the command line, as in `['--appendonly', 'yes']`. */
export interface RedisOptions {
  readonly args?: readonly string[]
}

/** Starts a Redis on its own. */
export function startRedis({ args = [] }: RedisOptions = {}): Promise<RedisServer & Closable> {
  return inWorkplace(async (workplace) => {
    const [port = 0] = await freePorts(1)
    return startRedisServer(workplace, port, args)
  })
}

/** Starts a Redis among others in one folder. Its own folder there is named by its port. */
export async function startRedisServer(
  workplace: Workplace,
  port: number,
  args: readonly string[],
): Promise<RedisServer> {
  const server = await startServer({
    name: 'redis-server',
    port,
    program: 'redis-server',
    args: [...common(workplace, port), ...args],
    workplace,
    stop: 'SIGTERM',
    answers: async () => (await ask(port, 'PING')) === 'PONG',
  })
  return Object.assign(server, {
    url: `redis://127.0.0.1:${port}`,
    ask: (...command: readonly [string, ...string[]]) => ask(port, ...command),
  })
}

/** Asks whatever speaks Redis's protocol on a port one command. */
export async function ask(
  port: number,
  ...[command, ...args]: readonly [string, ...string[]]
): Promise<unknown> {
  const client = new Client({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    protocol: 2,
    connectTimeout: 1000,
    commandTimeout: 1000,
    disconnectTimeout: 0,
    retryStrategy: () => null,
  })
  // What goes wrong with the connection fails the command too.
  client.on('error', () => {})
  try {
    await client.connect()
    return await client.call(command, args)
  } finally {
    client.disconnect()
  }
}

function common({ folder }: Workplace, port: number): string[] {
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    dbfilename: `${port}.rdb`,
    appenddirname: `${port}-aof`,
    appendonly: 'no',
    'repl-diskless-sync-delay': 0,
    'shutdown-timeout': 0,
    'enable-debug-command': 'local',
  }
  const pairs = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`])
  return ['--save', '', ...pairs]
}
