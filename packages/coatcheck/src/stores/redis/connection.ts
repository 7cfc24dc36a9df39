import { acknowledgements } from './acknowledgements.ts'
import { type RedisAnswer, toAnswer, toError } from './answer.ts'
import type { RedisArgument, RedisClient } from './client.ts'
import type { Primary } from './driver.ts'
import { driverOf } from './driver-of.ts'
import { createListeners } from './listeners.ts'
import type { RedisScript } from './script.ts'

export type { RedisAnswer } from './answer.ts'
export type { RedisClient } from './client.ts'
export { type RedisScript, toScript } from './script.ts'

/** How commands are run, on the primary that owns their key. */
export interface RedisCommands {
  /** Runs one command. Arguments are binary-safe; text in answers is a Buffer, `OK` too. */
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
}

/** One way to talk to a Redis or Valkey, whatever client the application uses. */
export interface RedisConnection extends RedisCommands {
  /** What the client is. */
  readonly kind: 'single' | 'cluster'
  /** The application has closed the client, or never opened it: nothing will ever be answered. */
  readonly isClosed: boolean
  /** Commands whose effects can be confirmed together. */
  follow(): RedisWrites
  /** The INFO text of the primary that owns the key. */
  info(key: string, section: string): Promise<string>
  /** Calls back when a connection was established after the first one, if the client tells. */
  onReconnected(listener: () => void): void
  /** Stops listening to the client, which stays open. Nothing can be confirmed any more. */
  close(): void
}

/** Commands that remember which primary ran them, over which connection. */
export interface RedisWrites extends RedisCommands {
  /**
   * Resolves when that many replicas have all that was written here (WAIT). Rejects with an Error
   * that says so if they have not within the deadline (milliseconds), or if a connection or a
   * primary was replaced since: the new one may never have had it, so that it must be written again.
   */
  confirm(replicas: number, deadline: number): Promise<void>
}

/** Talks through the client; a TypeError that says what to write if it is none, or one that reads from replicas. */
export function connect(client: RedisClient): RedisConnection {
  const listeners = createListeners()
  const driver = driverOf(client, listeners)
  const acknowledged = acknowledgements()
  const commands = commandsOf((key, command) => driver.send(key, command))
  let closed = false
  return {
    ...commands,
    kind: driver.kind,
    get isClosed() {
      return driver.isClosed
    },
    follow() {
      const epochs = new Map<Primary, unknown>()
      let replaced = false
      return {
        ...commandsOf(async (key, command) => {
          const { answer, primary, epoch } = await driver.write(key, command)
          replaced ||= epochs.has(primary) && epochs.get(primary) !== epoch
          epochs.set(primary, epoch)
          return answer
        }),
        async confirm(replicas, deadline) {
          await clean(
            Promise.all(
              [...epochs].map(async ([primary, epoch]) => {
                const waited = await acknowledged(primary, replicas, deadline)
                replaced ||= waited.epoch !== epoch
              }),
            ),
          )
          if (closed || replaced) {
            throw new Error('The connection to a Redis primary was replaced meanwhile.')
          }
        },
      }
    },
    info: async (key, section) => String(await commands.send(key, ['INFO', section])),
    onReconnected: driver.onReconnected,
    close() {
      closed = true
      listeners.stop()
    },
  }
}

function commandsOf(
  sendTo: (key: string, command: RedisArgument[]) => Promise<unknown>,
): RedisCommands {
  const send: RedisCommands['send'] = (key, command) =>
    clean(sendTo(key, command.map(toArgument)).then(toAnswer))
  return {
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
  }
}

async function clean<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    throw toError(error)
  }
}

/** Drivers know Buffers; a plain Uint8Array would be turned into text by one of them. */
function toArgument(value: string | Uint8Array): RedisArgument {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
