import type { TokenStore } from '#coatcheck'
import { type RedisClient, redisStore } from '#coatcheck/stores/redis'
import type { RedisArgument } from '#coatcheck/stores/redis/client'
import { PREFIX } from './command.ts'

/** The time of all of it: far enough for no server to end a key while we look. */
export const NOW: number = Date.UTC(2100, 0)

/** Runs one command when its turn has come. */
export type Send = (args: readonly RedisArgument[]) => Promise<unknown>

/** The store itself, over a client of a Cluster that lets `send` decide when a command is run. */
export function gatedStore(send: Send, now: number): TokenStore {
  const node = {
    status: 'ready',
    options: { host: 'node', port: 1 },
    callBuffer: (name: string, args: RedisArgument[]) => send([name, ...args]),
    pipeline(): never {
      throw new Error('One command at a time.')
    },
    on() {},
    off() {},
  }
  const client = { ...node, isCluster: true as const, slots: SLOTS, nodes: () => [node] }
  return redisStore(client satisfies RedisClient, { prefix: PREFIX, now: () => now })
}

/** One node has all of them; the store cannot know. */
const SLOTS: readonly string[][] = Array.from({ length: 16_384 }, () => ['node:1'])

/** Whether a store only asks if the server will do: once, before its first operation. */
export function isGreeting(args: readonly RedisArgument[]): boolean {
  return args[0] === 'INFO' || args[1] === `${PREFIX}f`
}
