import { it } from 'node:test'
import fc from 'fast-check'
import { memoryStore } from '#coatcheck/stores/memory'
import { everyPromiseHolds } from './property.ts'
import { createQuiet } from './quiet.ts'

const quiet = createQuiet()
const runs = Number(process.env['COATCHECK_RUNS'] ?? 300)
const seed = process.env['COATCHECK_SEED']

it('keeps every promise', { timeout: 10_000_000 }, async () => {
  const place = { quiet, store: (now: () => number) => memoryStore({ now }) }
  await fc.assert(everyPromiseHolds(place), {
    numRuns: runs,
    ...(seed !== undefined && { seed: Number(seed) }),
  })
})
