import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { everyDeath } from './every-death.ts'
import { everyOrdering } from './every-ordering.ts'
import { inMemory } from './places.ts'
import { everyPromiseHolds, run } from './property.ts'
import { createQuiet } from './quiet.ts'
import { parameters, patience } from './runs.ts'
import { CALM, type SignOut } from './scenario.ts'

/** With a place of the application, which is one more thing that a sign-out has to reach. */
describe('a place hears of each session that ended, and of no other', () => {
  const quiet = createQuiet()
  const place = { quiet, openStore: inMemory, tells: true }

  it(
    'whoever dies at whatever step, and who signs in again at once stays [INV-15]',
    patience,
    async (t) => {
      t.diagnostic(
        `${await everyDeath(place, { returns: true, steps: 20, inSteps: [true] })} deaths`,
      )
    },
  )

  it('where two sign-outs meet, in every single order', patience, async (t) => {
    const administrator: SignOut = { by: 'administrator', names: 'sid', at: 0 }
    const other: SignOut = { ...administrator, names: 'session', at: 1 }
    const orderings = await everyOrdering((points) =>
      run(
        { ...place, answers: false, actorsOnly: true },
        { ...CALM, signOuts: [administrator, other] },
        points,
      ),
    )
    t.diagnostic(`${orderings} orderings`)
    assert.ok(orderings > 3, 'there was nothing to interleave')
  })

  it('whatever else happens at the same time', patience, async () => {
    await fc.assert(everyPromiseHolds(place), parameters(20))
  })

  it('whatever else happens, and somebody dies [INV-15]', patience, async () => {
    await fc.assert(everyPromiseHolds(place, { deaths: true }), parameters(20))
  })
})
