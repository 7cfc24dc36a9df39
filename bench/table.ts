import type { Run } from './load.ts'
import { machineLine, thisMachine } from './machine.ts'
import { median, spread } from './statistics.ts'

/** The machine all numbers are of. */
export function machine(): string {
  return machineLine(thisMachine())
}

/** Rows to print: each against `bare`, run by run. */
export function tableOf(
  title: string,
  runs: Readonly<Record<string, readonly Run[]>>,
): Record<string, object> {
  const bare = runs['bare'] ?? []
  const bareCpu = median(bare.map(({ cpuPerRequest }) => cpuPerRequest))
  return Object.fromEntries(
    Object.entries(runs).map(([name, all]) => {
      const cpu = all.map(({ cpuPerRequest }) => cpuPerRequest)
      const against = (ratio: (run: Run, base: Run) => number): string =>
        spread(
          all.map((run, at) => ratio(run, bare[at] ?? run)),
          2,
        )
      return [
        `${title}, ${name}`,
        {
          'requests/s': spread(all.map(({ requestsPerSecond }) => requestsPerSecond)),
          ratio: against((run, base) => run.requestsPerSecond / base.requestsPerSecond),
          'CPU µs/request': spread(cpu, 1),
          'added µs': (median(cpu) - bareCpu).toFixed(1),
          'CPU ratio': against((run, base) => base.cpuPerRequest / run.cpuPerRequest),
          'p99 ms': spread(all.map(({ p99 }) => p99)),
        },
      ]
    }),
  )
}
