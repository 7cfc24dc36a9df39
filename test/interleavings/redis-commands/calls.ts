import type { RedisArgument } from '#coatcheck/stores/redis/client'
import { type RedisScript, toScript } from '#coatcheck/stores/redis/script'
import type { Send } from './gate.ts'
import type { Break } from './progress.ts'

/** A script that the store runs, taken apart. */
export interface Call {
  readonly keys: readonly string[]
  readonly args: readonly RedisArgument[]
}

/** Does something else where the store runs this script. */
export function where(
  script: RedisScript,
  instead: (call: Call, send: Send) => Promise<unknown>,
): Break {
  return (send) => (command) => {
    const call = callOf(script, command)
    return call === undefined ? send(command) : instead(call, send)
  }
}

/** Runs another script in the place of this one. */
export function swapped(script: RedisScript, other: RedisScript): Break {
  return where(script, ({ keys, args }, send) => send(toRun(other, keys, args)))
}

/** What is broken in several places. */
export function all(...broken: readonly Break[]): Break {
  return (send) => broken.reduce((rest, one) => one(rest), send)
}

/** The command that runs a script. */
export function toRun(
  { sha }: RedisScript,
  keys: readonly string[],
  args: readonly RedisArgument[],
): RedisArgument[] {
  return ['EVALSHA', sha, String(keys.length), ...keys, ...args]
}

/** A script in which something else is said. */
export function but({ source }: RedisScript, said: string, other: string): RedisScript {
  if (!source.includes(said))
    throw new Error('The script is another one by now: break it elsewhere.')
  return toScript(source.replace(said, other))
}

/** A script without the lines that begin with one of these. */
export function without({ source }: RedisScript, ...beginnings: readonly string[]): RedisScript {
  const lines = source.split('\n')
  const kept = lines.filter((line) => !beginnings.some((beginning) => line.startsWith(beginning)))
  if (kept.length !== lines.length - beginnings.length) {
    throw new Error('The script is another one by now: break it elsewhere.')
  }
  return toScript(kept.join('\n'))
}

function callOf(script: RedisScript, command: readonly RedisArgument[]): Call | undefined {
  const [name, sha, count, ...rest] = command
  if (name !== 'EVALSHA' || sha !== script.sha) return undefined
  return { keys: rest.slice(0, Number(count)).map(String), args: rest.slice(Number(count)) }
}
