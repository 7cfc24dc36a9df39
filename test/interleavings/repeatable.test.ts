import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { inMemory } from './places.ts'
import { chosenPoints } from './points.ts'
import { run } from './property.ts'
import { createQuiet } from './quiet.ts'
import { patience } from './runs.ts'
import { scenarios } from './scenario.ts'

const quiet = createQuiet()

it('the same scenario in the same order is the same run, step by step', patience, async () => {
  const order = fc.array(fc.nat(), { minLength: 20, maxLength: 50 })
  await fc.assert(
    fc.asyncProperty(scenarios(), order, async (scenario, picks) => {
      const traces: (readonly string[])[] = []
      for (const _ of ['once', 'again']) {
        let step = 0
        const points = chosenPoints(({ length }) => (picks[step++ % picks.length] ?? 0) % length)
        await run({ quiet, openStore: inMemory }, scenario, points)
        traces.push(points.trace)
      }
      assert.deepEqual(traces[0], traces[1])
    }),
    { numRuns: 20, seed: 20_261_122 },
  )
})
