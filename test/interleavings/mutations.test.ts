import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { MUTATIONS } from './mutations.ts'
import { inMemory } from './places.ts'
import { everyPromiseHolds } from './property.ts'
import { createQuiet } from './quiet.ts'

/** So many runs a mutation may survive. */
const MOST_RUNS = 400
const SEED = 20_261_122

describe('a store that breaks one rule is caught', () => {
  const quiet = createQuiet()
  const caught: string[] = []

  for (const { name, breaks, mutate } of MUTATIONS) {
    it(name, async () => {
      const property = everyPromiseHolds({ quiet, openStore: inMemory, breakStore: mutate })
      const result = await fc.check(property, {
        numRuns: MOST_RUNS,
        seed: SEED,
        endOnFailure: true,
      })
      assert.ok(result.failed, `${MOST_RUNS} runs did not notice it`)
      const message = result.errorInstance instanceof Error ? result.errorInstance.message : ''
      const promise = /^\[(\w+)\]/.exec(message)?.[1]
      caught.push(`| ${name} | ${promise} | ${result.numRuns} |`)
      assert.ok(
        breaks.some((one) => one === promise),
        `It was caught by something else: ${message}`,
      )
    })
  }

  after(() => {
    console.log(['| broken | caught by | in run |', '| --- | --- | --- |', ...caught].join('\n'))
  })
})
