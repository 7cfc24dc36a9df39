// npm run bench:scale: see README.md.
import { parseArgs } from 'node:util'
import { startBenchProvider } from '../provider.ts'
import { machine } from '../table.ts'
import { type PlaceName, places } from './places.ts'
import { measureStore } from './store.ts'

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
  const row = await measureStore(name, provider, {
    sessions: [1_000, Math.round(places[name].sessions * part)],
    rounds: 100,
    sessionsOfOneUser: Math.max(100, Math.round(10_000 * part)),
  })
  console.log(JSON.stringify(row, null, 2))
}
await provider.close()
