import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { MUTATIONS } from './mutations.ts'
import { inMemory } from './places.ts'
import { everyPromiseHolds } from './property.ts'
import { createQuiet } from './quiet.ts'
import { patience } from './runs.ts'

/** So many runs a mutation may survive. */
const MOST_RUNS = 600
const SEED = 20_261_122

describe('a store that breaks one rule is caught', () => {
  const quiet = createQuiet()
  const caught: string[] = []

  for (const { name, breaks, mutate, deaths = false } of MUTATIONS) {
    it(name, patience, async () => {
      const place = { quiet, openStore: inMemory, breakStore: mutate }
      const result = await fc.check(everyPromiseHolds(place, { deaths }), {
        numRuns: MOST_RUNS,
        seed: SEED,
        endOnFailure: true,
      })
      assert.ok(result.failed, `${MOST_RUNS} runs did not notice it`)
      const message = String(result.errorInstance)
      const promise = breaks.find((one) => message.includes(`[${one}] `))
      caught.push(`| ${name} | ${promise} | ${result.numRuns} |`)
      assert.ok(promise, `It was caught by something else: ${message}`)
    })
  }

  after(() => {
    console.log(['| broken | caught by | in run |', '| --- | --- | --- |', ...caught].join('\n'))
  })
})

it('keeps the table of what was caught by which promise', () => {
  const page = readFileSync(new URL('README.md', import.meta.url), 'utf8')
  for (const { name, breaks } of MUTATIONS) {
    const row = page.split('\n').find((line) => line.startsWith(`| ${name} |`))
    assert.ok(
      breaks.some((promise) => row?.endsWith(`| ${promise} |`)),
      `README.md has no row for "${name}"`,
    )
  }
})
