import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './ports.ts'
import { ask, type RedisOptions, type RedisServer, startRedisServer } from './redis.ts'
import { type Server, startServer } from './server.ts'
import { until } from './until.ts'
import { type Closable, inWorkplace, type Workplace } from './workplace.ts'

/** How many replicas there are, and how soon a primary is taken for dead. */
export interface ReplicatedOptions extends RedisOptions {
  /** One by default. */
  readonly replicas?: number
  /** 1,000 by default; with less than 700 a busy machine makes the living look dead. */
  readonly downAfterMilliseconds?: number
}

/** A primary, its replicas, and three Sentinels that watch them. */
export interface Replicated {
  /** What the Sentinels call it. */
  readonly name: string
  /** `{ host, port }` of each, as drivers want them. */
  readonly sentinels: readonly { readonly host: string; readonly port: number }[]
  /** Every Redis, the first primary first. */
  readonly nodes: readonly RedisServer[]
  /** The primary that most Sentinels name, running or not. */
  primary(): Promise<RedisServer>
  /** Kills the primary as a crash does and answers which it was. */
  killPrimary(): Promise<RedisServer>
  /** Waits until every Sentinel names another primary than this one, and it takes writes. */
  newPrimary(old: RedisServer): Promise<RedisServer>
  /** As `newPrimary`, but asks for one, so that nobody waits until the old one counts as dead. */
  newPrimaryNow(old: RedisServer): Promise<RedisServer>
  /** Starts a dead one again, at once as a replica of the primary, and waits until all is settled. */
  bringBack(dead: RedisServer): Promise<void>
  /**
   * Waits until every replica that runs has caught up, and the Sentinels know all of it: from then
   * on the primary may be lost again.
   */
  untilSettled(): Promise<void>
}

/** Starts a primary, replicas and three Sentinels, and waits until they are settled. */
export function startReplicated(options: ReplicatedOptions = {}): Promise<Replicated & Closable> {
  const { replicas = 1, downAfterMilliseconds = 1000, args = [] } = options
  return inWorkplace(async (workplace) => {
    const ports = await freePorts(1 + replicas + SENTINELS)
    const [first = 0, ...others] = ports.slice(0, 1 + replicas)
    const nodes = await Promise.all([
      startRedisServer(workplace, first, args),
      ...others.map((port) => startRedisServer(workplace, port, [...replicaOf(first), ...args])),
    ])
    // A Sentinel that comes sooner may see, and remember, replicas that are still empty.
    await until('the replicas have caught up', () => haveCaughtUp(nodes, first))
    const sentinels = await Promise.all(
      ports
        .slice(1 + replicas)
        .map((port) => startSentinel(workplace, port, first, downAfterMilliseconds)),
    )

    const named = async (agreeing: number): Promise<RedisServer | undefined> => {
      const answers = await Promise.all(sentinels.map(({ port }) => primaryPort(port)))
      return nodes.find(({ port }) => answers.filter((one) => one === port).length >= agreeing)
    }
    const primary = (): Promise<RedisServer> =>
      until('most Sentinels name one primary', () => named(QUORUM))
    const newPrimary = (old: RedisServer): Promise<RedisServer> =>
      until('all Sentinels name a new primary that takes writes', async () => {
        const found = await named(SENTINELS)
        if (found === undefined || found === old) return undefined
        const replication = await found.ask('INFO', 'replication')
        return `${replication}`.includes('role:master') && found
      })
    const untilSettled = async (): Promise<void> => {
      await until('the Sentinels are settled', async () => {
        const found = await named(SENTINELS)
        if (found === undefined || !(await haveCaughtUp(nodes, found.port))) return false
        const views = sentinels.map((sentinel) => isSettled(sentinel.port, nodes, found.port))
        return (await Promise.all(views)).every(Boolean)
      })
    }
    await untilSettled()
    return {
      name: NAME,
      sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      nodes,
      primary,
      async killPrimary() {
        const dead = await primary()
        await dead.kill()
        return dead
      },
      newPrimary,
      async newPrimaryNow(old) {
        const [sentinel] = sentinels
        await ask(sentinel?.port ?? 0, 'SENTINEL', 'FAILOVER', NAME)
        return newPrimary(old)
      },
      async bringBack(dead) {
        const { port } = await primary()
        await dead.restart(replicaOf(port))
        await untilSettled()
      },
      untilSettled,
    }
  })
}

const NAME = 'coatcheck'
const SENTINELS = 3
const QUORUM = 2

function replicaOf(port: number): string[] {
  return ['--replicaof', `127.0.0.1 ${port}`]
}

/** A Sentinel writes what it learns into its configuration. */
async function startSentinel(
  workplace: Workplace,
  port: number,
  primary: number,
  downAfter: number,
): Promise<Server> {
  const file = join(workplace.folder, `${port}.conf`)
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${workplace.folder}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${downAfter}`,
    // An election that nobody won is held again after twice as long.
    `sentinel failover-timeout ${NAME} 3000`,
  ]
  writeFileSync(file, lines.join('\n'), { mode: 0o666 })
  const server = await startServer({
    name: 'sentinel',
    port,
    program: 'redis-server',
    args: [file, '--sentinel'],
    workplace,
    stop: 'SIGTERM',
    answers: async () => (await ask(port, 'PING')) === 'PONG',
  })
  await ask(port, 'SENTINEL', 'DEBUG', ...IMPATIENT)
  return server
}

/** It looks every ten seconds otherwise, and distrusts a clock that jumps when the machine is busy. */
const IMPATIENT = [
  ...['INFO-PERIOD', '500', 'PING-PERIOD', '300', 'ASK-PERIOD', '200', 'PUBLISH-PERIOD', '200'],
  ...['TILT-TRIGGER', '20000'],
]

async function primaryPort(sentinel: number): Promise<number> {
  const answer = await ask(sentinel, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME)
  return Number((answer as string[])[1])
}

/** Whether every replica that runs has all that the primary had a moment ago. */
async function haveCaughtUp(nodes: readonly RedisServer[], primary: number): Promise<boolean> {
  const written = offsetIn(await nodes.find(({ port }) => port === primary)?.ask(...REPLICATION))
  const running = nodes.filter((node) => node.running && node.port !== primary)
  const answers = running.map(async (node) => {
    const info = `${await node.ask(...REPLICATION)}`
    if (!info.includes(`master_port:${primary}\r\n`)) return false
    // A link that is up is not enough: a primary sends nothing more until the replica has answered.
    return info.includes('master_link_status:up') && offsetIn(info) >= written
  })
  return (await Promise.all(answers)).every(Boolean)
}

const REPLICATION = ['INFO', 'replication'] as const

/** How far what a server has written, or heard from its primary, reaches. */
function offsetIn(info: unknown): number {
  return Number(/^master_repl_offset:(\d+)/m.exec(`${info}`)?.[1])
}

/** Whether a Sentinel knows the others, and all that runs in the role it has. */
async function isSettled(
  sentinel: number,
  nodes: readonly RedisServer[],
  primary: number,
): Promise<boolean> {
  const seen = fields(await ask(sentinel, 'SENTINEL', 'MASTER', NAME))
  if (seen['flags'] !== 'master' || seen['port'] !== `${primary}`) return false
  if (seen['num-other-sentinels'] !== `${SENTINELS - 1}`) return false
  const replicas = (await ask(sentinel, 'SENTINEL', 'REPLICAS', NAME)) as unknown[]
  const healthy = replicas
    .map(fields)
    .filter(
      (replica) =>
        replica['flags'] === 'slave' &&
        replica['master-link-status'] === 'ok' &&
        replica['master-port'] === `${primary}`,
    )
    .map((replica) => replica['port'])
  return nodes.every(
    ({ port, running }) => !running || port === primary || healthy.includes(`${port}`),
  )
}

/** Name, value, name, value … */
function fields(answer: unknown): Record<string, string> {
  const list = answer as string[]
  const pairs = list.flatMap((name, at) => (at % 2 === 0 ? [[name, `${list[at + 1]}`]] : []))
  return Object.fromEntries(pairs)
}
