import type {
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisSentinel,
  RedisArgument,
} from './client.ts'
import type { Driver, Server } from './driver.ts'
import { listen } from './listen.ts'
import { slotOf } from './slot.ts'

/**
 * Bytes instead of text: version 4 asks for it by `returnBuffers`, later ones by RESP type
 * ($ bulk string, + status, = verbatim string); % maps as in RESP2.
 */
const inBytes = {
  returnBuffers: true,
  typeMapping: { 36: Buffer, 43: Buffer, 61: Buffer, 37: Array },
}

/** Drives node-redis' `createClient()` and `createClientPool()`. */
export function nodeRedisDriver(client: NodeRedisClient): Driver {
  const server = toServer(client)
  return {
    kind: 'single',
    send: (_key, command) => server.send(command),
    server: async () => server,
    onReconnected: (listener) => listen(client, ['ready'], isReady(client), listener),
  }
}

/** Drives node-redis' `createSentinel()`: what is not read-only goes to the primary. */
export function nodeRedisSentinelDriver(client: NodeRedisSentinel): Driver {
  const server: Server = { send: (command) => client.sendCommand(false, command, inBytes) }
  return {
    kind: 'single',
    send: (_key, command) => server.send(command),
    server: async () => server,
    onReconnected: (listener) =>
      listen(client, ['ready', 'topology-change'], isReady(client), listener),
  }
}

/** Drives node-redis' `createCluster()`; `useReplicas` does no harm, since nothing is sent as read-only. */
export function nodeRedisClusterDriver(client: NodeRedisCluster): Driver {
  const server = async (key: string): Promise<Server> => {
    const master = client.slots[slotOf(key)]?.master
    if (!master) throw new Error('the Redis Cluster has no server for this slot')
    return toServer(await client.nodeClient(master as never))
  }
  return {
    kind: 'cluster',
    // A command that does not name the key may be sent to all servers by the client.
    send: async (key, command) =>
      command.includes(key)
        ? client.sendCommand(key, false, command, inBytes)
        : (await server(key)).send(command),
    server,
    onReconnected: (listener) => listen(client, ['node-ready'], isReady(client), listener),
  }
}

function toServer(client: NodeRedisClient): Server {
  return { send: (command: RedisArgument[]) => client.sendCommand(command, inBytes) }
}

function isReady(client: object): boolean {
  return Reflect.get(client, 'isReady') === true
}
