import type { AuthEvent } from '#coatcheck'
import type { Place } from '../processes/place.ts'
import { type Process, startProcess } from '../processes/processes.ts'
import { until } from '../servers/until.ts'
import type { Random } from './random.ts'

/** One process of the application, alive or not. */
export interface Member {
  readonly name: string
  /** How far its clock is off, in milliseconds. */
  readonly offset: number
  readonly process: Process
  /** When it was killed, in milliseconds since the epoch. */
  killedAt: number | undefined
  /** When it told of each refresh that it kept, by the handle of the session. */
  readonly refreshed: Map<string, number[]>
}

/** The processes of an application, of which any may be killed at any time. */
export interface Crew {
  /** Everybody there ever was, by name. */
  readonly all: ReadonlyMap<string, Member>
  readonly alive: readonly Member[]
  readonly started: number
  readonly killed: number
  any(): Member
  /** Kills one, any if it has no name, and starts another in its place; resolves when that one is there. */
  kill(name?: string): Promise<void>
  readonly ask: (member: Member, ...about: Parameters<Process['ask']>) => Promise<unknown>
  close(): Promise<void>
}

/** How a crew is put together. */
export interface CrewOptions {
  readonly size: number
  readonly issuer: string
  readonly random: Random
  /** Where the n-th process keeps its records. */
  readonly place: (nth: number) => Place
  /** How far the clock of the n-th is off, in milliseconds. */
  readonly offset: (nth: number) => number
  /** Hears what happens in each, by its name. */
  readonly heard?: (name: string, event: AuthEvent) => void
}

/** Starts all processes. */
export async function startCrew(options: CrewOptions): Promise<Crew> {
  const { size, issuer, random } = options
  const all = new Map<string, Member>()
  const alive: Member[] = []
  const starting = new Set<Promise<void>>()
  let started = 0
  let killed = 0

  const start = async (): Promise<void> => {
    const nth = started++
    const name = `p${nth}`
    const offset = options.offset(nth)
    const refreshed: Member['refreshed'] = new Map()
    const setup = { place: options.place(nth), issuer, offset, name }
    const heard = (event: AuthEvent): void => {
      options.heard?.(name, event)
      if (event.type !== 'refreshed') return
      refreshed.set(event.session, [...(refreshed.get(event.session) ?? []), Date.now()])
    }
    // Some drivers refuse to begin without a server: then it is started again and again.
    const process = await until(`${name} starts`, () => startProcess(setup, heard))
    const member: Member = {
      ...{ name, offset, process, killedAt: undefined, refreshed },
    }
    all.set(name, member)
    alive.push(member)
  }
  const begin = (): Promise<void> => {
    const one = start().finally(() => starting.delete(one))
    starting.add(one)
    return one
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled(starting)
    await Promise.all(alive.map(({ process }) => process.kill()))
  }
  try {
    await Promise.all(Array.from({ length: size }, begin))
  } catch (error) {
    await close()
    throw error
  }

  return {
    all,
    alive,
    get started() {
      return started
    },
    get killed() {
      return killed
    },
    any() {
      const member = random.pick(alive)
      if (member === undefined) throw new Error('Nobody is alive.')
      return member
    },
    async kill(name) {
      const at = alive.findIndex((member) => member.name === name)
      const [victim] = alive.splice(at < 0 ? random.below(alive.length) : at, 1)
      if (victim === undefined) return
      victim.killedAt = Date.now()
      killed += 1
      await victim.process.kill()
      await begin()
    },
    ask: (member, ...about) => member.process.ask(...about),
    close,
  }
}
