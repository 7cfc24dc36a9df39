/**
 * Any client of Redis or Valkey that `redisStore` can use. The shapes name only what is used of
 * the drivers, so that none of them has to be installed.
 */
export type RedisClient =
  | NodeRedisClient
  | NodeRedisPool
  | NodeRedisSentinel
  | NodeRedisCluster
  | IoredisClient
  | IoredisCluster

/** The subset of node-redis' `createClient()` that is used. */
export interface NodeRedisClient extends Listening {
  readonly isOpen: boolean
  sendCommand(command: readonly RedisArgument[], options?: object): Promise<unknown>
}

/** The subset of node-redis' `createClientPool()` that is used. */
export interface NodeRedisPool extends NodeRedisClient {
  execute(use: (client: never) => Promise<unknown>): Promise<unknown>
}

/** The subset of node-redis' `createSentinel()` that is used. */
export interface NodeRedisSentinel extends Listening {
  readonly isOpen: boolean
  sendCommand(
    readonly: boolean | undefined,
    command: RedisArgument[],
    options?: object,
  ): Promise<unknown>
  multi(): {
    addCommand(readonly: boolean | undefined, command: RedisArgument[]): unknown
    execAsPipeline(): Promise<unknown>
  }
  getSentinelNode(): unknown
}

/** The subset of node-redis' `createCluster()` that is used. */
export interface NodeRedisCluster extends Listening {
  readonly isOpen: boolean
  readonly slots: readonly { readonly master: object }[]
  sendCommand(
    key: RedisArgument | undefined,
    readonly: boolean | undefined,
    command: RedisArgument[],
    options?: object,
  ): Promise<unknown>
  // The node is one of `slots`: its own type would name the whole driver.
  nodeClient(node: never): NodeRedisClient | Promise<NodeRedisClient>
}

/** The subset of ioredis' `new Redis()` that is used, with or without Sentinels. */
export interface IoredisClient extends Listening {
  readonly status: string
  readonly options: object
  callBuffer(command: string, args: RedisArgument[]): Promise<unknown>
  pipeline(): {
    callBuffer(command: string, args: RedisArgument[]): unknown
    exec(): Promise<[error: Error | null, answer: unknown][] | null>
  }
}

/** The subset of ioredis' `new Redis.Cluster()` that is used. */
export interface IoredisCluster extends IoredisClient {
  readonly slots: readonly (readonly string[])[]
  nodes(role: 'master'): readonly IoredisClient[]
}

/** What every client takes as a command's argument. */
export type RedisArgument = string | Buffer

/** An EventEmitter. */
export interface Listening {
  on(event: string, listener: (...heard: unknown[]) => void): unknown
  off(event: string, listener: (...heard: unknown[]) => void): unknown
}
