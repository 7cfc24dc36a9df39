// The gateway against a bare proxy of the same library: see ../README.md.
import { parseArgs } from 'node:util'
import { startChild } from '../child.ts'
import { type Target, takeTurns } from '../load.ts'
import { startBenchProvider } from '../provider.ts'
import { machine, tableOf } from '../table.ts'
import { together } from './together.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '32' },
    /** All at once, on a machine that has other work: see together.ts. */
    together: { type: 'boolean', default: false },
    /** A folder for one CPU profile of each process. */
    profile: { type: 'string' },
  },
})
const names = ['bare', ...(positionals.length > 0 ? positionals : ['memory', 'lmdb'])]

const provider = await startBenchProvider()
const upstream = await startChild<string>(new URL('upstream.ts', import.meta.url))
console.log(machine())
const proxies = await Promise.all(
  names.map((name) =>
    startChild<Omit<Target, 'cpu'>>(new URL('proxy.ts', import.meta.url), {
      args: [name],
      env: { BENCH_PROVIDER: JSON.stringify(provider.options), BENCH_UPSTREAM: upstream.told },
      profile: { folder: values.profile, name: `gateway-${name}` },
    }),
  ),
)
const targets: Record<string, Target> = {}
for (const [at, name] of names.entries()) {
  const proxy = proxies[at]
  if (proxy !== undefined) targets[name] = { ...proxy.told, cpu: proxy.cpu }
}
const load = { seconds: Number(values.seconds), connections: Number(values.connections) }
const measure = values.together ? together : takeTurns
console.table(tableOf('gateway', await measure(targets, Number(values.rounds), load)))
await Promise.all([...proxies, upstream, provider].map(({ close }) => close()))
