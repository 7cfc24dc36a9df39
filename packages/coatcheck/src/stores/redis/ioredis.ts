import { Writable } from 'node:stream'
import type { IoredisClient, IoredisCluster, RedisArgument } from './client.ts'
import { clusterDriver, directPrimaries } from './direct.ts'
import type { Driver } from './driver.ts'
import type { Listeners } from './listeners.ts'
import { slotOf } from './slot.ts'

/** Drives ioredis' `new Redis()`, with or without Sentinels: after a failover it is the same object, connected anew. */
export function ioredisDriver(client: IoredisClient, listeners: Listeners): Driver {
  const primary = directPrimaries(send, listeners)(client)
  return {
    kind: 'single',
    get isClosed() {
      return isClosed(client)
    },
    send: (_key, command) => primary.send(command),
    write: (_key, command) => primary.write(command),
    onReconnected: (listener) =>
      listeners.afterFirst(client, ['ready'], client.status === 'ready', listener),
  }
}

/** Drives ioredis' `new Redis.Cluster()`. */
export function ioredisClusterDriver(client: IoredisCluster, listeners: Listeners): Driver {
  const primaryOf = directPrimaries(send, listeners)
  const find = (key: string): IoredisClient | undefined => {
    const address = client.slots[slotOf(key)]?.[0]
    return client.nodes('master').find((node) => addressOf(node) === address)
  }
  return {
    ...clusterDriver(
      (_key, command) => send(client, command),
      async (key) => {
        // A client that has not sent anything yet may not know the servers.
        if (!find(key)) await send(client, ['EXISTS', key])
        const node = find(key)
        if (!node) throw new Error('The Redis Cluster has no server for this slot.')
        return primaryOf(node)
      },
    ),
    get isClosed() {
      return isClosed(client)
    },
    onReconnected: (listener) =>
      listeners.afterFirst(client, ['ready', '+node'], client.status === 'ready', listener),
  }
}

async function send(
  client: IoredisClient,
  [name = '', ...args]: RedisArgument[],
): Promise<unknown> {
  if (!Reflect.get(client.options, 'enableAutoPipelining')) {
    gatherWrites(client)
    return client.callBuffer(String(name), args)
  }
  // The automatic pipeline loses the name of what `callBuffer` is to call (redis/ioredis#1923).
  const pipeline = client.pipeline()
  pipeline.callBuffer(String(name), args)
  const [[error, answer] = [null, null]] = (await pipeline.exec()) ?? []
  if (error) throw error
  return answer
}

/**
 * What is sent in one turn of the event loop goes out in one write: the client makes a system call of
 * each command, which takes longer than the command. Nothing else about it changes.
 */
function gatherWrites(client: object): void {
  const stream: unknown = Reflect.get(client, 'stream')
  // Not connected, or gathering already.
  if (!(stream instanceof Writable) || stream.writableCorked > 0) return
  stream.cork()
  process.nextTick(() => stream.uncork())
}

function isClosed({ status }: IoredisClient): boolean {
  return status === 'end'
}

function addressOf(node: IoredisClient): string {
  return `${Reflect.get(node.options, 'host')}:${Reflect.get(node.options, 'port')}`
}
