import autocannon from 'autocannon'
import type { Contestant, Running, Surroundings } from './contestant.ts'
import { type Summary, summarize } from './summary.ts'
import { ROUTE } from './task.ts'

/** How the route "signed in, access token in hand" did. */
export interface HotPathRow {
  readonly name: string
  readonly setUp: string
  /** What the ratios are to. */
  readonly bare?: string
  readonly requestsPerSecond: Summary
  /** To the bare route just before. */
  readonly ratio?: Summary
  /** Of the server's process: it does not wait, so others on the machine matter little. */
  readonly cpuMicroseconds: Summary
  readonly addedCpuMicroseconds?: number
  readonly p99Milliseconds: Summary
  /** Of the Cookie header. */
  readonly cookieBytes: number
}

/** How it is measured. */
export interface HotPathSettings {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  /** Signed in at each; requests are theirs by turns. */
  readonly users: number
}

interface Run {
  readonly rate: number
  readonly cpu: number
  readonly p99: number
  /** To the bare route just before. */
  readonly ratio?: number
}

/**
 * Puts all under load by turns, each just after its bare route, there and back again, so that whatever
 * else the machine does falls on all of them. Who cannot be signed in to is in `failed`.
 */
export async function measureHotPath(
  contestants: readonly Contestant[],
  surroundings: Surroundings,
  settings: HotPathSettings,
): Promise<{ rows: HotPathRow[]; failed: Record<string, string> }> {
  const failed: Record<string, string> = {}
  const entered = await enter(contestants, surroundings, settings.users, failed)
  try {
    const runs = new Map<string, Run[]>(entered.map(({ contestant }) => [contestant.name, []]))
    const taken = async (one: Entered): Promise<Run | undefined> => {
      if (failed[one.contestant.name] !== undefined) return undefined
      try {
        return await underLoad(one, settings)
      } catch (error) {
        failed[one.contestant.name] = String(error)
        return undefined
      }
    }
    // It only warms up.
    for (const one of entered) await taken(one)
    for (let round = 0; round < settings.rounds; round++) {
      for (const one of round % 2 === 0 ? entered : entered.toReversed()) {
        const bare = entered.find(({ contestant }) => contestant.name === one.contestant.bare)
        if (bare === undefined) continue
        const before = await taken(bare)
        const run = await taken(one)
        if (before === undefined || run === undefined) continue
        runs.get(bare.contestant.name)?.push(before)
        runs.get(one.contestant.name)?.push({ ...run, ratio: run.rate / before.rate })
      }
    }
    const whole = entered.filter(({ contestant }) => failed[contestant.name] === undefined)
    return { rows: whole.map((one) => rowOf(one, runs)), failed }
  } finally {
    await Promise.all(entered.map(({ running }) => running.close()))
  }
}

interface Entered {
  readonly contestant: Contestant
  readonly running: Running
  readonly cookies: readonly string[]
}

async function enter(
  contestants: readonly Contestant[],
  surroundings: Surroundings,
  users: number,
  failed: Record<string, string>,
): Promise<Entered[]> {
  const all = await Promise.all(
    contestants.map(async (contestant) => {
      try {
        return await enterOne(contestant, surroundings, users)
      } catch (error) {
        failed[contestant.name] = String(error)
        return undefined
      }
    }),
  )
  return all.filter((one) => one !== undefined)
}

async function enterOne(
  contestant: Contestant,
  surroundings: Surroundings,
  users: number,
): Promise<Entered> {
  const running = await contestant.start(surroundings)
  if (contestant.bare === undefined) return { contestant, running, cookies: [''] }
  const cookies: string[] = []
  for (let at = 0; at < users; at++) cookies.push(await running.signIn(`user-${at}`))
  if ((await running.answer('')) !== undefined) throw new Error('Anybody is let in.')
  return { contestant, running, cookies }
}

async function underLoad(
  { running, cookies, contestant }: Entered,
  { seconds, connections }: HotPathSettings,
): Promise<Run> {
  const before = await running.cpu()
  const { errors, non2xx, requests, latency, duration } = await autocannon({
    url: `${running.urls[0]}${running.path ?? ROUTE}`,
    connections,
    duration: seconds,
    // Otherwise a run ends with a whole second only.
    sampleInt: 100,
    // The bare route gets a cookie too: parsing headers is no part of the difference.
    requests: cookies.map((cookie) => ({ headers: { cookie: cookie || 'nobody=nobody' } })),
  })
  const spent = (await running.cpu()) - before
  if (errors > 0 || non2xx > 0) {
    throw new Error(`${contestant.name}: ${errors} errors, ${non2xx} answers that are not 2xx`)
  }
  return { rate: requests.total / duration, cpu: spent / requests.total, p99: latency.p99 }
}

function rowOf(
  { contestant, cookies }: Entered,
  all: ReadonlyMap<string, readonly Run[]>,
): HotPathRow {
  const { name, setUp, bare } = contestant
  const runs = all.get(name) ?? []
  const others = bare === undefined ? undefined : all.get(bare)
  const cpu = summarize(
    runs.map((run) => run.cpu),
    1,
  )
  const bareCpu =
    others &&
    summarize(
      others.map((run) => run.cpu),
      1,
    )
  return {
    name,
    setUp,
    ...(bare !== undefined && { bare }),
    requestsPerSecond: summarize(runs.map(({ rate }) => rate)),
    ...(others && {
      ratio: summarize(
        runs.map(({ ratio }) => ratio ?? Number.NaN),
        2,
      ),
    }),
    cpuMicroseconds: cpu,
    ...(bareCpu && { addedCpuMicroseconds: Number((cpu.median - bareCpu.median).toFixed(1)) }),
    p99Milliseconds: summarize(runs.map(({ p99 }) => p99)),
    cookieBytes: Math.max(...cookies.map((cookie) => cookie.length)),
  }
}
