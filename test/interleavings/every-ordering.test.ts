import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { everyOrdering } from './every-ordering.ts'
import { inMemory } from './places.ts'
import { run } from './property.ts'
import { createQuiet } from './quiet.ts'
import { patience } from './runs.ts'
import { CALM, type Call, type Scenario, type SignOut } from './scenario.ts'

/*
 * Where random schedules only make it likely, these go through all there are: two actors, each
 * operation of the store and each request to the provider one step.
 */
describe('every single ordering of', () => {
  const quiet = createQuiet()
  const place = { quiet, openStore: inMemory, answers: false, actorsOnly: true }

  const call: Call = { at: 0, resource: undefined, by: 'handle', force: false }
  const logout: SignOut = {
    by: 'back_channel',
    names: 'sid',
    later: 0,
    at: 1,
    twice: false,
  }
  const callback = { browser: 'other', at: [0] } as const
  const administrator: SignOut = { by: 'administrator', names: 'sid', at: 1 }

  const pairs: Record<string, Partial<Scenario>> = {
    'a refresh and a back-channel logout': { calls: [call], signOuts: [logout] },
    'a refresh and an administrator': { calls: [call], signOuts: [administrator] },
    'two refreshes in two processes': { calls: [call, { ...call, at: 1 }] },
    'two refreshes for two APIs': {
      calls: [call, { ...call, at: 1, resource: 'https://api.test/other' }],
    },
    'a refresh and an idle touch': { calls: [call], touches: [1] },
    'an idle touch and a back-channel logout': { touches: [0], signOuts: [logout] },
    'a callback and a back-channel logout': { callback, signOuts: [logout] },
    'a callback and a logout that was said before it': {
      callback,
      signOuts: [{ ...logout, later: -1 }],
    },
    'a callback and an administrator': { callback, signOuts: [administrator] },
    'a callback and the sign-out of its own browser': {
      callback: { ...callback, browser: 'same' },
      signOuts: [{ by: 'user', at: 1 }],
    },
    'one callback in two processes': { callback: { ...callback, at: [0, 1] } },
    'two logouts': { signOuts: [logout, { ...logout, names: 'subject', at: 0 }] },
    'one logout delivered twice': { signOuts: [{ ...logout, twice: true }] },
  }

  for (const [what, scenario] of Object.entries(pairs)) {
    it(`${what} keeps every promise [INV-3]`, patience, async (t) => {
      const orderings = await everyOrdering((points) =>
        run(place, { ...CALM, ...scenario }, points),
      )
      t.diagnostic(`${orderings} orderings`)
      assert.ok(orderings > 3, 'there was nothing to interleave')
    })
  }
})
