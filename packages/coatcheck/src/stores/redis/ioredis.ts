import type { IoredisClient, IoredisCluster, RedisArgument } from './client.ts'
import type { Driver, Server } from './driver.ts'
import { listen } from './listen.ts'
import { slotOf } from './slot.ts'

/** Drives ioredis' `new Redis()`, with or without Sentinels. */
export function ioredisDriver(client: IoredisClient): Driver {
  const server = toServer(client)
  return {
    kind: 'single',
    send: (_key, command) => server.send(command),
    server: async () => server,
    onReconnected: (listener) => listen(client, ['ready'], client.status === 'ready', listener),
  }
}

/** Drives ioredis' `new Redis.Cluster()`. */
export function ioredisClusterDriver(client: IoredisCluster): Driver {
  const routed = toServer(client)
  const find = (key: string): IoredisClient | undefined => {
    const address = client.slots[slotOf(key)]?.[0]
    return client.nodes('master').find((node) => addressOf(node) === address)
  }
  const server = async (key: string): Promise<Server> => {
    // A client that has not sent anything yet may not know the servers.
    if (!find(key)) await routed.send(['EXISTS', key])
    const node = find(key)
    if (!node) throw new Error('the Redis Cluster has no server for this slot')
    return toServer(node)
  }
  return {
    kind: 'cluster',
    // ioredis routes by the keys it finds in a command, and sends one without to any server.
    send: async (key, command) =>
      command.includes(key) ? routed.send(command) : (await server(key)).send(command),
    server,
    onReconnected: (listener) =>
      listen(client, ['ready', '+node'], client.status === 'ready', listener),
  }
}

function toServer(client: IoredisClient): Server {
  return {
    send: ([name = '', ...args]: RedisArgument[]) => client.callBuffer(String(name), args),
  }
}

function addressOf(node: IoredisClient): string {
  return `${Reflect.get(node.options, 'host')}:${Reflect.get(node.options, 'port')}`
}
