import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { everyDeath } from './every-death.ts'
import { MUTATIONS } from './mutations.ts'
import { inMemory } from './places.ts'
import { everyPromiseHolds, type Place } from './property.ts'
import { createQuiet } from './quiet.ts'
import { patience } from './runs.ts'

/** So many runs a mutation may survive. */
const MOST_RUNS = 600
const SEED = 20_261_122

describe('a store that breaks one rule is caught', () => {
  const quiet = createQuiet()
  const rows: string[] = []

  for (const { name, breaks, mutate, deaths = false } of MUTATIONS) {
    it(name, patience, async () => {
      const place = { quiet, openStore: inMemory, breakStore: mutate }
      const caught = deaths ? await byDeaths(place) : await bySchedules(place)
      assert.ok(caught, 'no run noticed it')
      const promise = breaks.find((one) => caught.message.includes(`[${one}] `))
      rows.push(`| ${name} | ${promise} | ${caught.run} |`)
      assert.ok(promise, `It was caught by something else: ${caught.message}`)
    })
  }

  after(() => console.log(['| broken | caught by | in run |', ...rows].join('\n')))
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

interface Caught {
  readonly message: string
  readonly run: string
}

async function bySchedules(place: Place): Promise<Caught | undefined> {
  const how = { numRuns: MOST_RUNS, seed: SEED, endOnFailure: true }
  const result = await fc.check(everyPromiseHolds(place), how)
  if (!result.failed) return undefined
  return { message: String(result.errorInstance), run: String(result.numRuns) }
}

async function byDeaths(place: Place): Promise<Caught | undefined> {
  try {
    await everyDeath(place)
    return undefined
  } catch (error) {
    return { message: String(error), run: 'a death' }
  }
}
