// The same route bare and signed in: see ../README.md.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cpuOf, type Target, takeTurns } from '../load.ts'
import { median, spread } from '../statistics.ts'
import { startHotPathProvider } from './provider.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '32' },
    /** A folder for one CPU profile of each process. */
    profile: { type: 'string' },
  },
})
const load = { seconds: Number(values.seconds), connections: Number(values.connections) }
const chosen = (names: readonly string[]): readonly string[] => {
  const found = names.filter((name) => positionals.includes(name))
  return found.length > 0 ? found : names
}

const provider = await startHotPathProvider()
console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}`)
for (const framework of chosen(['express', 'hono'])) {
  const names = ['bare', ...chosen(['memory', 'lmdb'])]
  const started = await Promise.all(names.map((name) => start(framework, name)))
  const targets = Object.fromEntries(names.map((name, at) => [name, started[at] as Started]))
  const runs = await takeTurns(targets, Number(values.rounds), load)
  const bare = runs['bare'] ?? []
  console.table(
    Object.fromEntries(
      Object.entries(runs).map(([name, all]) => {
        const rates = all.map(({ requestsPerSecond }) => requestsPerSecond)
        const cpu = all.map(({ cpuPerRequest }) => cpuPerRequest)
        const pairs = all.map((run, at) => ({ run, bare: bare[at] ?? run }))
        return [
          `${framework}, ${name}`,
          {
            'requests/s': spread(rates),
            ratio: spread(
              pairs.map((pair) => pair.run.requestsPerSecond / pair.bare.requestsPerSecond),
              2,
            ),
            'CPU µs/request': spread(cpu, 1),
            'added µs': (
              median(cpu) - median(bare.map(({ cpuPerRequest }) => cpuPerRequest))
            ).toFixed(1),
            'CPU ratio': spread(
              pairs.map((pair) => pair.bare.cpuPerRequest / pair.run.cpuPerRequest),
              2,
            ),
          },
        ]
      }),
    ),
  )
  await Promise.all(started.map(({ close }) => close()))
}
await provider.close()

interface Started extends Target {
  close(): Promise<void>
}

async function start(framework: string, name: string): Promise<Started> {
  const file = fileURLToPath(new URL('application.ts', import.meta.url))
  const profile =
    values.profile === undefined
      ? []
      : [
          '--cpu-prof',
          `--cpu-prof-dir=${values.profile}`,
          `--cpu-prof-name=${framework}-${name}.cpuprofile`,
        ]
  const child: ChildProcess = fork(file, [framework, name], {
    execArgv: profile,
    env: { ...process.env, BENCH_PROVIDER: JSON.stringify(provider.options) },
  })
  const [{ url, headers }] = await once(child, 'message')
  return {
    url,
    headers,
    cpu: () => cpuOf(child),
    async close() {
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
    },
  }
}
