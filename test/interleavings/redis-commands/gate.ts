import type { TokenStore } from '#coatcheck'
import { type RedisClient, redisStore } from '#coatcheck/stores/redis'
import type { RedisArgument } from '#coatcheck/stores/redis/client'
import { PREFIX } from './command.ts'

/** The time of all of it: far enough for no server to end a key while we look. */
export const NOW: number = Date.UTC(2100, 0)

/** Runs one command when its turn has come. */
export type Send = (args: readonly RedisArgument[]) => Promise<unknown>

/** The store itself, over a client that lets `send` decide when a command is run. */
export function gatedStore(send: Send, now: number): TokenStore {
  const client = {
    status: 'ready',
    options: {},
    callBuffer: (name: string, args: RedisArgument[]) => send([name, ...args]),
    pipeline(): never {
      throw new Error('One command at a time.')
    },
    on() {},
    off() {},
  }
  return redisStore(client satisfies RedisClient, { prefix: PREFIX, now: () => now })
}

/** Whether a store only asks if the server will do: once, before its first operation. */
export function isGreeting(args: readonly RedisArgument[]): boolean {
  return args[0] === 'INFO' || args[1] === `${PREFIX}f`
}
