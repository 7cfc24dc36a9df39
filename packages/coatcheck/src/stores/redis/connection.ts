import { type RedisAnswer, toAnswer, toError } from './answer.ts'
import type { RedisArgument, RedisClient } from './client.ts'
import type { Driver } from './driver.ts'
import { driverOf } from './driver-of.ts'
import type { RedisScript } from './script.ts'

export type { RedisAnswer } from './answer.ts'
export type { RedisClient } from './client.ts'
export { type RedisScript, toScript } from './script.ts'

/** One way to talk to a Redis or Valkey, whatever client the application uses. */
export interface RedisConnection {
  /** What the client is. */
  readonly kind: 'single' | 'cluster'
  /** Runs one command on the primary that owns the key. Arguments are binary-safe; text in answers is a Buffer, `OK` too. */
  send(key: string, command: readonly (string | Uint8Array)[]): Promise<RedisAnswer>
  /**
   * Runs a Lua script all of whose keys live with the first: by its SHA-1, and once more with its
   * source where the server does not know it (never run before, flushed, failed over).
   */
  run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | Uint8Array)[],
  ): Promise<RedisAnswer>
  /**
   * Resolves when that many replicas have what was written before through this connection to the
   * primaries that own the keys. Rejects with an Error that says so otherwise. Deadline in milliseconds.
   */
  confirm(keys: readonly string[], replicas: number, deadline: number): Promise<void>
  /** The INFO text of the primary that owns the key. */
  info(key: string, section: string): Promise<string>
  /** Calls back when a connection was established after the first one, if the client tells; returns how to stop. */
  onReconnected(listener: () => void): () => void
}

/** Talks through the client; a TypeError that says what to write if it is none, or one that reads from replicas. */
export function connect(client: RedisClient): RedisConnection {
  const driver = driverOf(client)
  const send = async (key: string, command: readonly (string | Uint8Array)[]) =>
    answered(driver.send(key, command.map(toArgument)))
  return {
    kind: driver.kind,
    send,
    async run(script, keys, args) {
      const [key = ''] = keys
      const rest = [String(keys.length), ...keys, ...args]
      try {
        return await send(key, ['EVALSHA', script.sha, ...rest])
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
        return send(key, ['EVAL', script.source, ...rest])
      }
    },
    async confirm(keys, replicas, deadline) {
      await Promise.all(keys.map((key) => confirm(driver, key, replicas, deadline)))
    },
    async info(key, section) {
      const server = await driver.server(key)
      return String(await answered(server.send(['INFO', section])))
    },
    onReconnected: driver.onReconnected,
  }
}

async function confirm(driver: Driver, key: string, replicas: number, deadline: number) {
  const server = await driver.server(key)
  const confirmed = await answered(server.send(['WAIT', String(replicas), String(deadline)]))
  if (Number(confirmed) >= replicas) return
  throw new Error(`${confirmed} of ${replicas} replicas have confirmed within ${deadline} ms`)
}

async function answered(promise: Promise<unknown>): Promise<RedisAnswer> {
  try {
    return toAnswer(await promise)
  } catch (error) {
    throw toError(error)
  }
}

/** Drivers know Buffers; a plain Uint8Array would be turned into text by one of them. */
function toArgument(value: string | Uint8Array): RedisArgument {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
