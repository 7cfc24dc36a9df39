import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TokenStore } from '#coatcheck'
import { everyOrdering } from './every-ordering.ts'
import { inMemory } from './places.ts'
import { run } from './property.ts'
import { createQuiet } from './quiet.ts'
import { patience } from './runs.ts'
import { CALM, type Scenario } from './scenario.ts'

/**
 * No mark names everybody: either the sign-in sees that it was refused, or whoever looks through the
 * contents sees its session (decision 019).
 */
describe('a sign-out of everybody, and a sign-in that comes back meanwhile', () => {
  const scenario: Scenario = {
    ...CALM,
    callback: { browser: 'other', at: [0] },
    signOuts: [{ by: 'everybody', at: 1 }],
  }

  function everyOrderingOf(breakStore?: (store: TokenStore) => TokenStore): Promise<number> {
    const place = { quiet: createQuiet(), openStore: inMemory, answers: false, actorsOnly: true }
    return everyOrdering((points) =>
      run({ ...place, ...(breakStore && { breakStore }) }, scenario, points),
    )
  }

  it('keep every promise in every single order [INV-3]', patience, async (t) => {
    const orderings = await everyOrderingOf()
    t.diagnostic(`${orderings} orderings`)
    assert.ok(orderings > 100, 'there was little to interleave')
  })

  it('would not if the sign-in did not look', patience, async () => {
    const blind = (store: TokenStore): TokenStore => ({
      ...store,
      get: (id) => (isRefusal(id) ? undefined : store.get(id)),
    })
    await assert.rejects(everyOrderingOf(blind), /\[(served|gone)\]/)
  })

  it('would not if the sign-in looked before its session was there', patience, async () => {
    const hasty = (store: TokenStore): TokenStore => {
      let isThere = false
      let wasThere = false
      return {
        ...store,
        claim(key, until) {
          wasThere = isThere
          return store.claim(key, until)
        },
        insert(id, record) {
          isThere ||= isRefusal(id)
          return store.insert(id, record)
        },
        get: (id) => (isRefusal(id) && !wasThere ? undefined : store.get(id)),
      }
    }
    await assert.rejects(everyOrderingOf(hasty), /\[(served|gone)\]/)
  })
})

function isRefusal(id: string): boolean {
  return id.startsWith('n.')
}
