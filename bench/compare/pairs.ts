import { randomBytes } from 'node:crypto'
import { type Run, runLoad, type Target } from '../load.ts'
import { type Summary, summarize } from '../statistics.ts'
import type { Contestant, Running } from './contestant.ts'
import { type Failures, progress } from './outcome.ts'
import type { Field } from './surroundings.ts'
import { ROUTE } from './task.ts'

/** Somebody who was signed in to, and listens. */
export interface Entered {
  readonly contestant: Contestant
  readonly running: Running
  /** One for each user. */
  readonly cookies: readonly string[]
  readonly target: Target
}

/** How one did under load, beside its bare one. */
export interface PairRow {
  readonly name: string
  readonly setUp: string
  /** What the ratios are to. */
  readonly bare?: string
  readonly requestsPerSecond: Summary
  /** To the bare one just before. */
  readonly ratio?: Summary
  /** Of the server's process: it does not wait, so others on the machine matter little. */
  readonly cpuMicroseconds: Summary
  readonly addedCpuMicroseconds?: number
  readonly p99Milliseconds: Summary
}

/** How load is put on. */
export interface PairSettings {
  readonly rounds: number
  readonly seconds: number
  /** Before the first round: the bare ones run before each of the others, and would be warm alone. */
  readonly warmUpSeconds: number
  readonly connections: number
}

interface PairRun extends Run {
  readonly ratio?: number
}

/** Puts one under load; something else may go on meanwhile. */
export type UnderLoad = (one: Entered, settings: PairSettings) => Promise<Run>

/**
 * Puts all under load by turns, each just after its bare one, there and back again, so that whatever
 * else the machine does falls on all of them. What warms up does not count.
 */
export async function runPairs(
  what: string,
  entered: readonly Entered[],
  settings: PairSettings,
  failures: Failures,
  underLoad: UnderLoad = ({ target }, load) => runLoad(target, load),
): Promise<PairRow[]> {
  const runs = new Map<string, PairRun[]>(entered.map(({ contestant }) => [contestant.name, []]))
  const taken = async (one: Entered, seconds = settings.seconds): Promise<Run | undefined> => {
    const { name } = one.contestant
    if (failures.has(name)) return undefined
    return failures.attempt(name, seconds + 60, () => underLoad(one, { ...settings, seconds }))
  }
  progress(`${what}: warming up`)
  for (const one of entered) await taken(one, settings.warmUpSeconds)
  for (let round = 1; round <= settings.rounds; round++) {
    progress(`${what}: round ${round} of ${settings.rounds}`)
    for (const one of round % 2 === 0 ? entered : entered.toReversed()) {
      const bare = entered.find(({ contestant }) => contestant.name === one.contestant.bare)
      if (bare === undefined) continue
      const before = await taken(bare)
      const run = before && (await taken(one))
      if (before === undefined || run === undefined) continue
      runs.get(bare.contestant.name)?.push(before)
      const ratio = run.requestsPerSecond / before.requestsPerSecond
      runs.get(one.contestant.name)?.push({ ...run, ratio })
    }
  }
  return entered
    .filter(({ contestant }) => !failures.has(contestant.name))
    .flatMap(({ contestant }) => rowOf(contestant, runs) ?? [])
}

/** Starts one and signs users in. Throws where somebody is not let in, or anybody is. */
export async function enter(contestant: Contestant, field: Field, users: number): Promise<Entered> {
  const running = await field.running(contestant)
  const cookies: string[] = []
  if (contestant.bare === undefined) {
    // The bare route gets cookies too: parsing headers is no part of the difference.
    for (let at = 0; at < users; at++) cookies.push(`nobody=${randomBytes(32).toString('hex')}`)
  } else {
    for (let at = 0; at < users; at++) cookies.push(await running.signIn(`user-${at}`))
    if ((await running.answer('')) !== undefined) throw new Error('Anybody is let in.')
  }
  return {
    contestant,
    running,
    cookies,
    target: {
      url: `${running.urls[0]}${running.path ?? ROUTE}`,
      headers: cookies.map((cookie) => ({ cookie })),
      cpu: running.cpu,
    },
  }
}

function rowOf(
  { name, setUp, bare }: Contestant,
  all: ReadonlyMap<string, readonly PairRun[]>,
): PairRow | undefined {
  const runs = all.get(name) ?? []
  if (runs.length === 0) return undefined
  const cpuOf = (some: readonly Run[]): Summary =>
    summarize(
      some.map(({ cpuPerRequest }) => cpuPerRequest),
      1,
    )
  const cpu = cpuOf(runs)
  const bareRuns = bare === undefined ? undefined : all.get(bare)
  const added = bareRuns && cpu.median - cpuOf(bareRuns).median
  const ratios = runs.flatMap(({ ratio }) => ratio ?? [])
  return {
    name,
    setUp,
    ...(bare !== undefined && { bare, ratio: summarize(ratios, 2) }),
    requestsPerSecond: summarize(runs.map(({ requestsPerSecond }) => requestsPerSecond)),
    cpuMicroseconds: cpu,
    ...(added !== undefined && { addedCpuMicroseconds: Number(added.toFixed(1)) }),
    p99Milliseconds: summarize(runs.map(({ p99 }) => p99)),
  }
}
