import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testTokenStore } from '#coatcheck/testing/token-store'
import { naiveStore } from './naive.ts'

/** What must not get past the kit, by what a store would have to have. */
const MUST_FAIL = {
  'compare-and-set': [
    'lets exactly one of many concurrent replacements win',
    'loses no update of many that read, change and replace',
    'gives a record that is replaced and removed at the same moment to the removal whole',
    'lets no refresh survive a sign-out of the same moment, clock provider [INV-3]',
    'lets no refresh survive a sign-out of the same moment, clock here [INV-3]',
  ],
  marks: [
    'refuses what was established before or at a mark, and admits what came later, clock provider',
    'refuses what was established before or at a mark, and admits what came later, clock here',
    'keeps a mark when the user signs in again, clock provider',
    'lets no sign-in slip by a sign-out of the same moment, clock provider [INV-3]',
    'refuses to replace by a record that a mark covers, clock provider',
    'refuses to replace a record that an unfinished removal will come to, clock here',
  ],
  'exactly one': [
    'lets exactly one of many concurrent inserts have an id',
    'gives what a removed record held to exactly one caller',
    'owes once, however many callers remove',
    'gives each record to one of many removals of the same moment, and owes for it once',
    'grants a claim to exactly one of many concurrent callers',
  ],
  indexes: [
    'leaves the other records of an index findable [INV-6]',
    'finds a replaced record by the indexes of the new one only',
    'removes what the provider established until then, and nothing later [INV-5]',
    'lists every record once, page by page',
  ],
  'work that survives a crash': [
    'leaves word in the first step that a removal is unfinished [INV-15]',
    'takes no more than the limit in one step, and goes on when called again',
    'writes what is owed for what it sweeps',
  ],
}

describe('testTokenStore, given a store of get, set and delete', async () => {
  const outcomes = await runKit()

  for (const [quality, titles] of Object.entries(MUST_FAIL)) {
    it(`fails it for want of ${quality}`, () => {
      for (const title of titles) assert.equal(outcomes.get(title), 'failed', title)
    })
  }

  it('passes it where such a store is right, so that the failures mean something', () => {
    for (const title of [
      'returns what was inserted',
      'removes a record and returns what it held',
    ]) {
      assert.equal(outcomes.get(title), 'passed', title)
    }
  })
})

/** Each title of the kit, and how it ended. */
async function runKit(): Promise<Map<string, 'passed' | 'failed'>> {
  const tests: [title: string, run: () => Promise<void>][] = []
  testTokenStore((title, run) => tests.push([title, run]), naiveStore)
  const outcomes = new Map<string, 'passed' | 'failed'>()
  for (const [title, run] of tests) {
    assert.ok(!outcomes.has(title), `Two tests are called "${title}".`)
    const failed = await run().then(
      () => false,
      () => true,
    )
    outcomes.set(title, failed ? 'failed' : 'passed')
  }
  return outcomes
}
