import { setImmediate as settled } from 'node:timers/promises'
import { type Command, toCommand } from './command.ts'
import { gatedStore, isGreeting, type Send } from './gate.ts'
import type { Operation } from './operations.ts'
import type { Change, Slots, Step } from './slots.ts'

/** How far an operation has come. The same progress is the same object. */
export interface Progress {
  readonly id: number
  /** What it waits for: any of these may be run next. */
  readonly pending: readonly Command[]
  /** What it answered, if it is done. */
  readonly outcome: Outcome | undefined
  /** What its commands changed, in no order. */
  readonly changes: readonly Change[]
}

/** What an operation answered, or why it failed. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** An operation of the store whose single commands others let run. */
export interface Steps {
  readonly start: Progress
  /** How far it is when a command that it waited for was run, if that was asked before. */
  known(before: Progress, command: Command, step: Step): Progress | undefined
  advance(before: Progress, command: Command, step: Step): Promise<Progress>
}

/** Does something else where an operation of the store sends a command. */
export type Break = (send: Send) => Send

/** What was run of an operation, and what came of it. */
interface Fact {
  readonly command: string
  /** It may send the same more than once. */
  readonly nth: number
  readonly answer: unknown
  readonly fact: number
}

/**
 * Takes an operation apart. What it does next depends on nothing but what it was answered, and not
 * on the order in which it was: so how far it is can be found out by starting it anew.
 */
export async function takeApart(
  slots: Slots,
  { name, work, at }: Operation,
  broken: Break = (send) => send,
): Promise<Steps> {
  const all = new Map<string, Progress>()
  const factsOf = new Map<Progress, readonly Fact[]>()
  const next = new Map<string, Progress>()

  async function replay(facts: readonly Fact[], changes: readonly Change[]): Promise<Progress> {
    const answers = new Map(facts.map(({ nth, command, answer }) => [`${nth} ${command}`, answer]))
    const issued = new Map<string, number>()
    const pending: Command[] = []
    let outcome: Outcome | undefined
    const send: Send = (args) => {
      if (isGreeting(args)) return Promise.resolve(slots.greeting(args))
      const command = toCommand(args)
      const nth = (issued.get(command.text) ?? 0) + 1
      issued.set(command.text, nth)
      const known = `${nth} ${command.text}`
      if (answers.has(known)) return Promise.resolve(answers.get(known))
      pending.push(command)
      return new Promise(() => {})
    }
    await slots.repeatable(name, async () => {
      work(gatedStore(broken(send), at)).then(
        (value) => (outcome = { value }),
        (error) => (outcome = { error }),
      )
      // All that is answered is answered by then: nothing waits for a clock or a socket.
      await settled()
    })
    return { id: all.size, pending, outcome, changes }
  }

  async function intern(facts: readonly Fact[], changes: readonly Change[]): Promise<Progress> {
    const texts = facts.map(({ nth, command, fact }) => `${nth} ${command}=${fact}`)
    const text = texts.sort().join('\n')
    const fresh = await replay(facts, changes)
    const known = all.get(text)
    if (known !== undefined && waitsFor(known) !== waitsFor(fresh)) {
      throw new Error(`What ${name} does depends on the order of answers.`)
    }
    const progress = known ?? fresh
    all.set(text, progress)
    factsOf.set(progress, facts)
    return progress
  }

  return {
    start: await intern([], []),
    known: (before, command, { fact }) => next.get(`${before.id} ${fact} ${command.text}`),
    async advance(before, command, { answer, fact, changes }) {
      const facts = factsOf.get(before) ?? []
      const nth = facts.filter((one) => one.command === command.text).length + 1
      const after = await intern(
        [...facts, { command: command.text, nth, answer, fact }],
        [...before.changes, ...changes],
      )
      next.set(`${before.id} ${fact} ${command.text}`, after)
      return after
    },
  }
}

function waitsFor({ pending, outcome }: Progress): string {
  return JSON.stringify([pending.map(({ text }) => text).sort(), outcome])
}
