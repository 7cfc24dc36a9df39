import type { RedisArgument } from '#coatcheck/stores/redis/client'
import * as scripts from '#coatcheck/stores/redis/scripts'
import { slotOf } from '#coatcheck/stores/redis/slot'

/** What the names of all keys begin with here. */
export const PREFIX = 't:'

/** One command as a server gets it: a step that nothing can come into. */
export interface Command {
  readonly args: readonly RedisArgument[]
  /** The same for the same command. */
  readonly text: string
  readonly keys: readonly string[]
  /** Where all its keys live. */
  readonly slot: number
  /** For whoever reads in which order a promise was broken. */
  readonly label: () => string
}

/** Reads a command. Throws where no one server of a Cluster could run it. */
export function toCommand(args: readonly RedisArgument[]): Command {
  const texts = args.map((arg) => (typeof arg === 'string' ? arg : arg.toString('latin1')))
  const keys = keysOf(texts)
  const label = (): string =>
    [nameOf(texts), ...keys.map((key) => key.slice(PREFIX.length))].join(' ')
  const [slot, ...others] = new Set(keys.map(slotOf))
  if (slot === undefined || others.length > 0) {
    throw new Error(
      `[slot] touches ${slot === undefined ? 'no' : 'more than one'} slot: ${label()}`,
    )
  }
  const text = texts.map((part) => `${part.length}:${part}`).join('')
  return { args, text, keys, slot, label }
}

/** Commands on a single key, which they name first. */
const OF_ONE_KEY = new Set([
  'GET',
  'GETEX',
  'SET',
  'PEXPIREAT',
  'ZADD',
  'ZRANGEBYLEX',
  'ZRANGEBYSCORE',
  'ZREM',
])

function keysOf([name = '', first = '', count = '', ...rest]: readonly string[]): string[] {
  if (OF_ONE_KEY.has(name)) return [first]
  if (name === 'EVALSHA' || name === 'EVAL') return rest.slice(0, Number(count))
  throw new Error(`Nothing is known here of the keys of ${name}.`)
}

function nameOf([name = '', code = '']: readonly string[]): string {
  if (name === 'EVAL') return 'script'
  if (name !== 'EVALSHA') return name
  const known = Object.entries(scripts).find(([, { sha }]) => sha === code)
  return known === undefined ? 'broken script' : known[0]
}
