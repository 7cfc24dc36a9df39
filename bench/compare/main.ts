// npm run bench: see ../README.md.
import { parseArgs } from 'node:util'
import { apaches } from './apache.ts'
import type { Contestant } from './contestant.ts'
import { bareRoutes, ours, peers } from './contestants.ts'
import { hearers, verifyOnly } from './hearers.ts'
import { measureHotPath } from './hot-path.ts'
import { providePeers } from './provide.ts'
import { type Results, writeResults } from './results.ts'
import { measureSignOut } from './sign-out.ts'
import { measureSize } from './size.ts'
import { measureSpace } from './space.ts'
import { measureStorm, stormed } from './storm.ts'
import { openField } from './surroundings.ts'
import { tablesOf } from './tables.ts'
import { debianVersionOf, thisMachine, versionOf } from './versions.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    /** The hot path and sign-outs, in under a minute. */
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string', default: '32' },
  },
})
const { quick } = values
const connections = Number(values.connections)
const hotPath = {
  rounds: Number(values.rounds ?? (quick ? 2 : 7)),
  seconds: Number(values.seconds ?? (quick ? 0.3 : 2)),
  connections,
  users: quick ? 2 : 20,
}
const signOut = {
  rounds: quick ? 2 : 7,
  logouts: quick ? 400 : 2_000,
  signIns: quick ? 25 : 300,
  connections,
}

const STORM = { processes: 4, requests: 1_000, users: 100 }
const SPACE = { inMemory: 100_000, inStores: 20_000, signIns: 100 }

const absent = providePeers()
const machine = thisMachine()
const all = [...bareRoutes, ...ours, ...peers, ...apaches].filter(present)
/** Names on the command line choose; bare routes come along. */
const chosen = <One>(list: readonly One[], nameOf: (one: One) => string): One[] =>
  positionals.length === 0
    ? [...list]
    : list.filter((one) => positionals.some((word) => nameOf(one).includes(word)))

console.log(
  `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}, load ${machine.load}`,
)
const field = await openField()
try {
  const bare = new Set(chosen(all, ({ name }) => name).map((one) => one.bare))
  const hot = await measureHotPath(
    all.filter((one) => bare.has(one.name) || chosen([one], ({ name }) => name).length > 0),
    field,
    hotPath,
  )
  const heard = await measureSignOut(
    hearers.filter(
      ({ contestant }) =>
        present(contestant) &&
        (contestant.name === verifyOnly || chosen([contestant], ({ name }) => name).length > 0),
    ),
    field,
    verifyOnly,
    signOut,
  )
  const storm = quick
    ? undefined
    : await measureStorm(
        chosen(stormed, ({ name }) => name),
        field,
        STORM,
      )
  const results: Results = {
    machine,
    quick,
    versions: versions(all),
    settings: { hotPath, signOut },
    hotPath: hot.rows,
    signOut: heard.rows,
    ...(storm && {
      storm: storm.rows,
      size: measureSize(5),
      space: await measureSpace(field, SPACE),
    }),
    failed: { ...absent, ...hot.failed, ...heard.failed, ...storm?.failed },
  }
  console.log(tablesOf(results))
  // Part of the table is no run to be kept.
  if (positionals.length === 0) console.log(`\n${writeResults(results)}`)
} finally {
  await field.close()
}

function present({ name }: Contestant): boolean {
  return absent[name] === undefined
}

function versions(contestants: readonly Contestant[]): Record<string, string> {
  const packages = new Set(contestants.flatMap((one) => one.packages))
  const more = ['jose', 'oidc-provider', 'autocannon', 'redis', 'lmdb', 'ioredis', 'pg']
  const found = [...packages, ...more].map((name) => [name, versionOf(name)])
  const debian = ['apache2-bin', 'libapache2-mod-auth-openidc', 'redis-server'].map((name) => [
    name,
    debianVersionOf(name),
  ])
  return Object.fromEntries([...found, ...debian])
}
