import { Redis } from 'ioredis'
import { type HeldRecord, read } from '#coatcheck/stores/redis/record'
import * as scripts from '#coatcheck/stores/redis/scripts'
import { type Command, PREFIX } from './command.ts'
import { gatedStore, isGreeting, NOW, type Send } from './gate.ts'
import { textOf } from './operations.ts'
import { type Repeatable, startRepeatable } from './repeatable.ts'

/**
 * The slots of a Cluster, each a server of its own. What a command does to what a slot holds is
 * found out on a real server, with the store's own scripts, and asked there only once.
 */
export interface Slots {
  /** A slot that holds nothing. */
  empty(slot: number): Contents
  /** What this command does to these contents, if that was asked before. */
  known(before: Contents, command: Command): Step | undefined
  run(before: Contents, command: Command): Promise<Step>
  /** What the server answers a store that asks whether it will do. */
  greeting(args: Command['args']): unknown
  /** No two of its runs at the same time. */
  readonly repeatable: Repeatable
  /** Makes further scripts known to the server. */
  load(source: string): Promise<void>
  /** How many times a command was run on the server. */
  readonly asked: number
  close(): void
}

/** What one slot holds at one time. The same contents are the same object. */
export interface Contents {
  readonly id: number
  readonly slot: number
  /** How the server writes them down, and until when it keeps them. */
  readonly dumps: ReadonlyMap<string, { readonly bytes: Buffer; readonly keptUntil: number }>
  /** By their ids. */
  readonly records: ReadonlyMap<string, HeldRecord>
  /** The ids under each index. */
  readonly entries: ReadonlyMap<string, ReadonlySet<string>>
  /** What commands that were run here do. */
  readonly steps: Map<string, Step>
}

/** What a command does. */
export interface Step {
  readonly after: Contents
  readonly answer: unknown
  readonly changes: readonly Change[]
  /** The same for the same answer and changes. */
  readonly fact: number
}

/** A live record came, changed or went. `undefined`: there is none that lives. */
export interface Change {
  readonly id: string
  readonly from: string | undefined
  readonly to: string | undefined
}

/** The slots as a server of tests has them, which nobody else may use. */
export async function openSlots(url: string): Promise<Slots> {
  const client = new Redis(url)
  const call: Send = ([name = '', ...args]) => client.callBuffer(String(name), args)
  const random = startRepeatable()
  const contents = new Map<string, Contents>()
  const facts = new Map<string, number>()
  let asked = 0
  const load = async (source: string): Promise<void> =>
    void (await call(['SCRIPT', 'LOAD', source]))
  await Promise.all(Object.values(scripts).map(({ source }) => load(source)))
  const greetings = await greetingsOf(call)

  function intern(slot: number, dumps: Contents['dumps'], seen: Seen): Contents {
    const texts = [...dumps].map(
      ([key, { bytes, keptUntil }]) => `${key} ${keptUntil} ${bytes.toString('latin1')}`,
    )
    const text = [slot, ...texts.sort()].join('\n')
    const known = contents.get(text)
    if (known !== undefined) return known
    const fresh = { id: contents.size, slot, dumps, steps: new Map(), ...seen }
    contents.set(text, fresh)
    return fresh
  }

  async function run(before: Contents, command: Command): Promise<Step> {
    asked += 1
    const names = [...new Set([...before.dumps.keys(), ...command.keys])]
    // All on one connection: they come in this order.
    const [, , answer, size, ...found] = await Promise.all([
      call(['FLUSHALL']),
      Promise.all(
        [...before.dumps].map(([key, { bytes, keptUntil }]) =>
          call(['RESTORE', key, String(Math.max(keptUntil, 0)), bytes, 'ABSTTL']),
        ),
      ),
      call(command.args),
      call(['DBSIZE']),
      ...names.flatMap((key) => [call(['DUMP', key]), call(['PEXPIRETIME', key]), look(key)]),
    ])
    const dumps = new Map<string, { bytes: Buffer; keptUntil: number }>()
    const seen: Seen = { records: new Map(), entries: new Map() }
    names.forEach((key, at) => {
      const [bytes, keptUntil, looked] = found.slice(3 * at, 3 * at + 3)
      if (!Buffer.isBuffer(bytes)) return
      dumps.set(key, { bytes, keptUntil: Number(keptUntil) })
      if (Buffer.isBuffer(looked)) seen.records.set(idOf(key), read(looked))
      else if (Array.isArray(looked)) seen.entries.set(indexOf(key), new Set(looked.map(String)))
    })
    if (size !== dumps.size)
      throw new Error(`[slot] writes what it does not name: ${command.label()}`)
    const after = intern(before.slot, dumps, seen)
    const changes = changesBetween(before, after)
    const text = JSON.stringify([answer, changes])
    const fact = facts.get(text) ?? facts.size
    facts.set(text, fact)
    const step = { after, answer, changes, fact }
    before.steps.set(command.text, step)
    return step
  }

  function look(key: string): Promise<unknown> {
    if (key.startsWith(`${PREFIX}r:`)) return call(['GET', key])
    if (key.startsWith(`${PREFIX}i:`)) return call(['ZRANGE', key, '0', '-1'])
    return Promise.resolve()
  }

  return {
    empty: (slot) => intern(slot, new Map(), { records: new Map(), entries: new Map() }),
    known: (before, command) => before.steps.get(command.text),
    run,
    greeting: (args) => greetings.get(args.join(' ')),
    load,
    get asked() {
      return asked
    },
    repeatable: random.repeatable,
    close() {
      random.end()
      client.disconnect()
    },
  }
}

/** All that a store asks a server before its first operation, and the answers. */
async function greetingsOf(call: Send): Promise<Map<string, unknown>> {
  const answers = new Map<string, unknown>()
  const store = gatedStore(async (args) => {
    const answer = await call(args)
    if (isGreeting(args)) answers.set(args.join(' '), answer)
    return answer
  }, NOW)
  await store.get('nobody')
  return answers
}

interface Seen {
  readonly records: Map<string, HeldRecord>
  readonly entries: Map<string, ReadonlySet<string>>
}

function idOf(key: string): string {
  return key.slice(`${PREFIX}r:`.length).replace(/[{}]/g, '')
}

function indexOf(key: string): string {
  return key.slice(`${PREFIX}i:`.length).replace(/[{}]/g, '')
}

function changesBetween(before: Contents, after: Contents): Change[] {
  const ids = new Set([...before.records.keys(), ...after.records.keys()])
  return [...ids]
    .map((id) => ({
      id,
      from: liveTextOf(before.records.get(id)),
      to: liveTextOf(after.records.get(id)),
    }))
    .filter(({ from, to }) => from !== to)
}

/** What somebody who reads a record is given. */
export function liveTextOf(held: HeldRecord | undefined): string | undefined {
  return held?.isLive ? textOf(held) : undefined
}
