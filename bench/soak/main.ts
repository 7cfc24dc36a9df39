// A gateway under sign-ins and sign-outs for as long as you like: see README.md beside it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startProvider } from '#coatcheck/testing/provider'
import { build } from '../../scripts/build.ts'
import { root } from '../../scripts/run.mjs'
import { freePorts } from '../../test/servers/ports.ts'
import { until } from '../../test/servers/until.ts'
import { median } from '../statistics.ts'
import { createNewsServer } from './news.ts'
import { createTally, type Tally } from './tally.ts'
import { type Deployment, live } from './user.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    /** So many users at a time, each signing in and out again and again. */
    users: { type: 'string', default: '20' },
    store: { type: 'string', default: './sessions' },
  },
})
const EVERY = 30_000
const problems = build()
if (problems !== '') throw new Error(problems)
const [port = 0, operations = 0] = await freePorts(2)
const origin = `http://127.0.0.1:${port}`
const provider = await startProvider()
const { client_secret: secret } = provider.register({ client_id: 'app', origin })
const upstream = createNewsServer().listen(0, '127.0.0.1')
await once(upstream, 'listening')
const folder = await mkdtemp(join(tmpdir(), 'coatcheck-soak-'))
const file = join(folder, 'coatcheck.yaml')
await writeFile(
  file,
  `origin: ${origin}
provider: { issuer: "${provider.issuer}", clientId: app, clientSecret: ${secret} }
keys: ["a key for benchmarks of thirty-two bytes"]
listen: ${port}
operations: ${operations}
upstream: http://127.0.0.1:${(upstream.address() as AddressInfo).port}
store: ${values.store}
`,
)
const gateway = spawn(
  process.execPath,
  [join(root, 'packages/gateway/bin/coatcheck.mjs'), 'gateway', '--config', file],
  { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
)
const deployment: Deployment = { origin, provider }

try {
  await until('the gateway listens', () => fetch(origin).then(Boolean, () => false))
  const tally = createTally()
  const end = new AbortController()
  const lanes = Array.from({ length: Number(values.users) }, (_, at) =>
    live(deployment, `user-${at}`, tally, end.signal),
  )
  const rows: Row[] = []
  for (let at = EVERY; at <= Number(values.minutes) * 60_000; at += EVERY) {
    await Promise.race([pause(EVERY), ...lanes])
    rows.push(await rowAt(at, tally))
    console.log(JSON.stringify(rows.at(-1)))
  }
  end.abort()
  await Promise.all(lanes)
  console.table(rows)
  for (const [what, count] of tally.failed) console.log(`${count} × ${what}`)
  const middle = Math.floor(rows.length / 2)
  const half = (of: readonly Row[]): string => median(of.map((row) => row['heap MB'])).toFixed(1)
  console.log(`heap, median of the first half: ${half(rows.slice(0, middle))} MB`)
  console.log(`heap, median of the second half: ${half(rows.slice(middle))} MB`)
} finally {
  gateway.kill('SIGTERM')
  if (gateway.exitCode === null) await once(gateway, 'exit')
  upstream.closeAllConnections()
  upstream.close()
  await provider.close()
  await rm(folder, { recursive: true })
}

interface Row {
  readonly minutes: number
  readonly 'sign-ins': number
  readonly 'sign-outs': number
  readonly requests: number
  readonly 'streams closed': number
  readonly failed: number
  readonly 'resident MB': number
  readonly 'heap MB': number
  readonly 'open streams': number
}

async function rowAt(milliseconds: number, tally: Tally): Promise<Row> {
  const metrics = await (await fetch(`http://127.0.0.1:${operations}/metrics`)).text()
  const sampleOf = (name: string): number =>
    Number(new RegExp(`^${name} (\\S+)`, 'm').exec(metrics)?.[1])
  const megabytes = (name: string): number => Math.round(sampleOf(name) / 2 ** 20)
  return {
    minutes: milliseconds / 60_000,
    'sign-ins': tally.signIns,
    'sign-outs': tally.signOuts,
    requests: tally.requests,
    'streams closed': tally.streams,
    failed: [...tally.failed.values()].reduce((sum, count) => sum + count, 0),
    'resident MB': megabytes('process_resident_memory_bytes'),
    'heap MB': megabytes('nodejs_heap_size_used_bytes'),
    'open streams': sampleOf('coatcheck_open_streams'),
  }
}
