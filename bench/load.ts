import autocannon from 'autocannon'

/** Headers of a request. */
export type Headers = Readonly<Record<string, string>>

/** A server in another process that can be put under load. */
export interface Target {
  readonly url: string
  /** Of each request. Where there are several, requests have them by turns. */
  readonly headers: Headers | readonly Headers[]
  /** Of that process, all threads, in microseconds. */
  cpu(): Promise<number>
}

/** What one run of load came to. */
export interface Run {
  readonly requestsPerSecond: number
  /** Of the server: what a request takes from it, in microseconds. It does not wait, so others on the machine matter little. */
  readonly cpuPerRequest: number
  /** In milliseconds. */
  readonly p99: number
}

/** How load is put on. */
export interface Load {
  readonly seconds: number
  readonly connections: number
}

/** Puts a target under load. */
export function runLoad(
  { url, headers, cpu }: Target,
  { seconds: duration, connections }: Load,
): Promise<Run> {
  const requests = [headers].flat().map((each) => ({ headers: each }))
  return shoot({ url, connections, duration, requests }, cpu)
}

/** One run of any kind. Throws where any answer is not 2xx: it would not be what is measured. */
export async function shoot(options: autocannon.Options, cpu: Target['cpu']): Promise<Run> {
  const before = await cpu()
  // Without `sampleInt` a run ends with a whole second only.
  const result = await autocannon({ sampleInt: 100, ...options })
  const spent = (await cpu()) - before
  const { errors, non2xx, requests, latency, start, finish } = result
  if (errors > 0 || non2xx > 0 || requests.total === 0) {
    throw new Error(`${errors} errors, ${non2xx} of ${requests.total} answers were not 2xx.`)
  }
  return {
    requestsPerSecond: (requests.total * 1000) / (finish.getTime() - start.getTime()),
    cpuPerRequest: spent / requests.total,
    p99: latency.p99,
  }
}

/**
 * Puts targets under load by turns, so that whatever else the machine does falls on all of them.
 * The first round warms up and does not count.
 */
export async function takeTurns<Name extends string>(
  targets: Readonly<Record<Name, Target>>,
  rounds: number,
  load: Load,
): Promise<Record<Name, Run[]>> {
  const names = Object.keys(targets) as Name[]
  const runs = Object.fromEntries(names.map((name) => [name, [] as Run[]])) as Record<Name, Run[]>
  for (let round = 0; round <= rounds; round++) {
    // There and back again: nobody is always the one after a certain other.
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const run = await runLoad(targets[name], load)
      if (round > 0) runs[name].push(run)
    }
  }
  return runs
}
