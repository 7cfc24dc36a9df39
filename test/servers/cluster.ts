import { freePorts } from './ports.ts'
import { type RedisOptions, type RedisServer, startRedisServer } from './redis.ts'
import { until } from './until.ts'
import { type Closable, inWorkplace } from './workplace.ts'

/** How a Cluster is laid out. */
export interface ClusterOptions extends RedisOptions {
  /** At least three; three by default. */
  readonly primaries?: number
  /** None by default: then the slots of a node that is killed wait for its return. */
  readonly replicasEach?: number
  /** After so long without a word a node is taken for dead; 1,000 by default. */
  readonly nodeTimeoutMilliseconds?: number
}

/** A Redis Cluster. Its nodes are killed, paused and started again one by one. */
export interface Cluster {
  /** The first primaries, then their replicas; after a failover the roles are others. */
  readonly nodes: readonly RedisServer[]
  /** `{ host, port }` of every node, as drivers want them. */
  readonly rootNodes: readonly { readonly host: string; readonly port: number }[]
  /** Who serves the slot of a key, as a running node knows it. */
  primaryOf(key: string): Promise<RedisServer>
  /**
   * Waits until every node that runs says `cluster_state:ok`, every slot is served by a node that
   * runs, and every replica that runs has caught up with its primary.
   */
  untilOk(): Promise<void>
}

/** Starts a Cluster on 127.0.0.1 and waits until it serves every slot. */
export function startCluster(options: ClusterOptions = {}): Promise<Cluster & Closable> {
  const { primaries = 3, replicasEach = 0, nodeTimeoutMilliseconds = 1000, args = [] } = options
  return inWorkplace(async (workplace) => {
    const count = primaries * (1 + replicasEach)
    const ports = await freePorts(2 * count)
    const nodes = await Promise.all(
      ports.slice(0, count).map((port, at) =>
        startRedisServer(workplace, port, [
          ...['--cluster-enabled', 'yes'],
          // Ten thousand above its own, as is the rule, would be among those given to connections.
          ...['--cluster-port', `${ports[count + at]}`],
          ...['--cluster-config-file', `${port}.nodes`],
          ...['--cluster-node-timeout', `${nodeTimeoutMilliseconds}`],
          ...args,
        ]),
      ),
    )
    await layOut(nodes, primaries, ports.slice(count))
    const cluster: Cluster = {
      nodes,
      rootNodes: nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
      async primaryOf(key) {
        const running = nodes.find((node) => node.running)
        const slot = Number(await running?.ask('CLUSTER', 'KEYSLOT', key))
        const view = running === undefined ? [] : await viewOf(running)
        const { port } =
          view.find((one) => one.slots.some(([from, to]) => from <= slot && slot <= to)) ?? {}
        const found = nodes.find((node) => node.port === port)
        if (found === undefined) throw new Error('Nobody serves the slot.')
        return found
      },
      async untilOk() {
        await until('the Cluster is ok', () => isOk(nodes))
      },
    }
    await cluster.untilOk()
    return cluster
  })
}

/** Does what `redis-cli --cluster create` does. */
async function layOut(
  nodes: readonly RedisServer[],
  primaries: number,
  busPorts: readonly number[],
): Promise<void> {
  const [first] = nodes
  if (first === undefined) return
  for (const [at, node] of nodes.entries()) {
    await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', `${at + 1}`)
    if (at >= primaries) continue
    const from = Math.floor((at * SLOTS) / primaries)
    const to = Math.floor(((at + 1) * SLOTS) / primaries) - 1
    await node.ask('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to}`)
  }
  for (const [at, { port }] of nodes.entries()) {
    if (at > 0) await first.ask('CLUSTER', 'MEET', '127.0.0.1', `${port}`, `${busPorts[at]}`)
  }
  const met = async (): Promise<boolean> => {
    const views = await Promise.all(nodes.map(viewOf))
    return views.every(
      (view) => view.filter(({ flags }) => !flags.includes('handshake')).length === nodes.length,
    )
  }
  await until('the nodes know each other', met)
  for (const [at, replica] of nodes.entries()) {
    if (at < primaries) continue
    const id = await nodes[at % primaries]?.ask('CLUSTER', 'MYID')
    await replica.ask('CLUSTER', 'REPLICATE', `${id}`)
  }
}

async function isOk(nodes: readonly RedisServer[]): Promise<boolean> {
  const running = nodes.filter((node) => node.running)
  const answers = await Promise.all(
    running.map(async (node) => {
      const info = `${await node.ask('CLUSTER', 'INFO')}`
      if (!info.includes('cluster_state:ok')) return false
      const replication = `${await node.ask('INFO', 'replication')}`
      if (replication.includes('master_link_status:down')) return false
      // Right after a kill nobody has noticed yet, and all is said to be well.
      const view = await viewOf(node)
      const failing = view.filter(
        ({ port, slots }) => slots.length > 0 && !running.some((one) => one.port === port),
      )
      return failing.length === 0
    }),
  )
  return answers.every(Boolean)
}

const SLOTS = 16_384

/** One line of CLUSTER NODES. */
interface Seen {
  readonly port: number
  readonly flags: readonly string[]
  readonly slots: readonly (readonly [from: number, to: number])[]
}

/** `id ip:port@cport flags primary ping pong epoch link slot…` */
async function viewOf(node: RedisServer): Promise<Seen[]> {
  const lines = `${await node.ask('CLUSTER', 'NODES')}`.trimEnd().split('\n')
  return lines.map((line) => {
    const [, address = '', flags = '', , , , , , ...slots] = line.split(' ')
    return {
      port: Number(/:(\d+)@/.exec(address)?.[1]),
      flags: flags.split(','),
      slots: slots.map((range) => {
        const [from, to = from] = range.split('-').map(Number)
        return [from ?? 0, to ?? 0] as const
      }),
    }
  })
}
