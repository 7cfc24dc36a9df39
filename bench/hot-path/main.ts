// The same route bare and signed in: see ../README.md.
import { parseArgs } from 'node:util'
import { startChild } from '../child.ts'
import { type Target, takeTurns } from '../load.ts'
import { startBenchProvider } from '../provider.ts'
import { machine, tableOf } from '../table.ts'

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

const provider = await startBenchProvider()
console.log(machine())
for (const framework of chosen(['express', 'hono'])) {
  const names = ['bare', ...chosen(['memory', 'lmdb'])]
  const started = await Promise.all(names.map((name) => start(framework, name)))
  const targets = Object.fromEntries(names.map((name, at) => [name, started[at] as Started]))
  const runs = await takeTurns(targets, Number(values.rounds), load)
  console.table(tableOf(framework, runs))
  await Promise.all(started.map(({ close }) => close()))
}
await provider.close()

interface Started extends Target {
  close(): Promise<void>
}

async function start(framework: string, name: string): Promise<Started> {
  const { told, cpu, close } = await startChild<Omit<Target, 'cpu'>>(
    new URL('application.ts', import.meta.url),
    {
      args: [framework, name],
      env: { BENCH_PROVIDER: JSON.stringify(provider.options) },
      profile: { folder: values.profile, name: `${framework}-${name}` },
    },
  )
  return { ...told, cpu, close }
}
