import type {
  IoredisClient,
  IoredisCluster,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisPool,
  NodeRedisSentinel,
} from './client.ts'
import type { Driver } from './driver.ts'
import { ioredisClusterDriver, ioredisDriver } from './ioredis.ts'
import type { Listeners } from './listeners.ts'
import {
  nodeRedisClusterDriver,
  nodeRedisDriver,
  nodeRedisPoolDriver,
  nodeRedisSentinelDriver,
} from './node-redis.ts'

/** Recognises a client by what it can do. A TypeError says what to write for anything else. */
export function driverOf(client: unknown, listeners: Listeners): Driver {
  if (typeof client !== 'object' || client === null) throw unknownClient()
  const can = (name: string): boolean => typeof Reflect.get(client, name) === 'function'
  if (can('callBuffer') && can('on')) {
    refusePrefix(client)
    return Reflect.get(client, 'isCluster') === true
      ? ioredisClusterDriver(withoutReplicas(client) as IoredisCluster, listeners)
      : ioredisDriver(withoutReplicas(client) as IoredisClient, listeners)
  }
  if (can('sendCommand') && can('on') && Reflect.has(client, 'isOpen')) {
    refusePrefix(client)
    if (optionsOf(client)['legacyMode']) {
      throw new TypeError('redisStore needs promises: make the client without `legacyMode`.')
    }
    if (can('nodeClient')) return nodeRedisClusterDriver(client as NodeRedisCluster, listeners)
    if (can('getSentinelNode'))
      return nodeRedisSentinelDriver(client as NodeRedisSentinel, listeners)
    if (can('execute')) return nodeRedisPoolDriver(client as NodeRedisPool, listeners)
    return nodeRedisDriver(client as NodeRedisClient, listeners)
  }
  throw unknownClient()
}

/** A read that decides on a token must not come from a replica, which may not know of a sign-out yet. */
function withoutReplicas(client: object): object {
  const { role, scaleReads, stringNumbers } = optionsOf(client)
  if (role === 'slave') {
    throw new TypeError(
      "redisStore must not read from replicas: make the client with `role: 'master'`.",
    )
  }
  if (scaleReads !== undefined && scaleReads !== 'master') {
    throw new TypeError(
      "redisStore must not read from replicas: make the client with `scaleReads: 'master'`.",
    )
  }
  if (stringNumbers) {
    throw new TypeError('redisStore reads numbers: make the client without `stringNumbers`.')
  }
  return client
}

/** Only some commands of some drivers would get it. */
function refusePrefix(client: object): void {
  const { keyPrefix, redisOptions } = optionsOf(client)
  const ofNodes = typeof redisOptions === 'object' && redisOptions ? redisOptions : {}
  if (keyPrefix || Reflect.get(ofNodes, 'keyPrefix') || Reflect.get(client, '_keyPrefix')) {
    throw new TypeError(
      'redisStore names its keys itself: make the client without `keyPrefix`, and give redisStore the `prefix`.',
    )
  }
}

function optionsOf(client: object): Record<string, unknown> {
  const options: unknown = Reflect.get(client, 'options') ?? Reflect.get(client, '_options')
  return typeof options === 'object' && options !== null ? { ...options } : {}
}

function unknownClient(): TypeError {
  return new TypeError(
    'redisStore takes a client of node-redis (version 4 or later: createClient, createCluster, createSentinel) ' +
      'or of ioredis (version 5 or later: new Redis, new Redis.Cluster), for example ' +
      'redisStore(await createClient({ url }).connect()).',
  )
}
