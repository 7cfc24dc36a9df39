// npm run bench:scale: see README.md.
import { parseArgs } from 'node:util'
import { startBenchProvider } from '../provider.ts'
import { machine } from '../table.ts'
import { measureGrowth } from './growth.ts'
import { measureManySessions } from './many-sessions.ts'
import { type PlaceName, places } from './places.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { part: { type: 'string', default: '1' } },
})
const part = Number(values.part)
const chosen = (Object.keys(places) as PlaceName[]).filter(
  (name) => positionals.length === 0 || positionals.includes(name),
)

const provider = await startBenchProvider()
console.log(machine())
for (const name of chosen) {
  const { open, sessions } = places[name]
  const [small, big] = [await open(), await open()]
  try {
    const grown = await measureGrowth(small, big, provider, Math.round(sessions * part))
    const many = await measureManySessions(
      small,
      provider,
      Math.max(100, Math.round(10_000 * part)),
    )
    console.log(JSON.stringify({ store: name, ...grown, ...many }, null, 2))
  } finally {
    await small.close()
    await big.close()
  }
}
await provider.close()
