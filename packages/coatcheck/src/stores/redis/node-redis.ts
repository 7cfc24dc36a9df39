import type {
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisPool,
  NodeRedisSentinel,
  RedisArgument,
} from './client.ts'
import { clusterDriver, directPrimaries } from './direct.ts'
import type { Driver, Primary } from './driver.ts'
import type { Listeners } from './listeners.ts'
import { slotOf } from './slot.ts'

/**
 * Bytes instead of text: version 4 asks for it by `returnBuffers`, later ones by RESP type
 * ($ bulk string, + status, = verbatim string); % maps as in RESP2.
 */
const inBytes = {
  returnBuffers: true,
  typeMapping: { 36: Buffer, 43: Buffer, 61: Buffer, 37: Array },
}

/** Drives node-redis' `createClient()`. */
export function nodeRedisDriver(client: NodeRedisClient, listeners: Listeners): Driver {
  const primary = primaries(listeners)(client)
  return {
    kind: 'single',
    get isClosed() {
      return !client.isOpen
    },
    send: (_key, command) => primary.send(command),
    write: (_key, command) => primary.write(command),
    onReconnected: (listener) => listeners.afterFirst(client, ['ready'], isReady(client), listener),
  }
}

/** Drives node-redis' `createClientPool()`: it lends the connection that a command goes through. */
export function nodeRedisPoolDriver(pool: NodeRedisPool, listeners: Listeners): Driver {
  const primaryOf = primaries(listeners)
  const borrow = <T>(use: (client: NodeRedisClient) => Promise<T>): Promise<T> =>
    pool.execute(use as never) as Promise<T>
  return {
    kind: 'single',
    get isClosed() {
      return !pool.isOpen
    },
    send: (_key, command) => pool.sendCommand(command, inBytes),
    write: (_key, command) => borrow((client) => primaryOf(client).write(command)),
    // A pool tells of its connections only that one failed: the next may be another already.
    onReconnected: (listener) => listeners.afterFirst(pool, ['error'], true, listener),
  }
}

/** Drives node-redis' `createCluster()`; `useReplicas` does no harm, since nothing is sent as read-only. */
export function nodeRedisClusterDriver(client: NodeRedisCluster, listeners: Listeners): Driver {
  const primaryOf = primaries(listeners)
  return {
    ...clusterDriver(
      (key, command) => client.sendCommand(key, false, command, inBytes),
      async (key) => {
        const master = client.slots[slotOf(key)]?.master
        if (!master) throw new Error('The Redis Cluster has no server for this slot.')
        return primaryOf(await client.nodeClient(master as never))
      },
    ),
    get isClosed() {
      return !client.isOpen
    },
    onReconnected: (listener) =>
      listeners.afterFirst(client, ['node-ready'], isReady(client), listener),
  }
}

/**
 * Drives node-redis' `createSentinel()`: what is not sent as read-only goes to the primary. It hides
 * its connections, and sends again after a failover; so what tells one primary from the next is the
 * server's own `run_id`, known since before a write and asked again in one pipeline with WAIT.
 */
export function nodeRedisSentinelDriver(client: NodeRedisSentinel, listeners: Listeners): Driver {
  const send = (command: RedisArgument[]): Promise<unknown> =>
    client.sendCommand(false, command, inBytes)
  // An older one does no harm: it is another than the one asked with WAIT, and nothing is confirmed.
  let runId: unknown
  listeners.on(client, 'topology-change', () => {
    runId = undefined
  })
  const primary: Primary = {
    async wait(replicas, milliseconds) {
      // WAIT looks at what the server had written when the connection's command before it ran.
      const pipeline = client.multi()
      pipeline.addCommand(false, ['INFO', 'server'])
      pipeline.addCommand(false, ['WAIT', `${replicas}`, `${milliseconds}`])
      const [info, answer] = (await pipeline.execAsPipeline()) as readonly unknown[]
      runId = runIdOf(info)
      return { replicas: Number(answer), epoch: runId }
    },
  }
  return {
    kind: 'single',
    get isClosed() {
      return !client.isOpen
    },
    send: (_key, command) => send(command),
    async write(_key, command) {
      runId ??= runIdOf(await send(['INFO', 'server']))
      const epoch = runId
      return { answer: await send(command), primary, epoch }
    },
    onReconnected: (listener) => listeners.afterFirst(client, ['ready'], isReady(client), listener),
  }
}

function primaries(listeners: Listeners) {
  return directPrimaries<NodeRedisClient>(
    (client, command) => client.sendCommand(command, inBytes),
    listeners,
  )
}

function runIdOf(info: unknown): unknown {
  // None would be equal to none.
  return /^run_id:(\w+)/m.exec(String(info))?.[1] ?? Symbol('unknown')
}

function isReady(client: object): boolean {
  return Reflect.get(client, 'isReady') === true
}
