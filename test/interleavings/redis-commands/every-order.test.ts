import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { slotOf } from '#coatcheck/stores/redis/slot'
import { startRedis } from '../../servers/redis.ts'
import type { Closable } from '../../servers/workplace.ts'
import { patience } from '../runs.ts'
import { type Checks, type Exploring, explore, type Scenario } from './explore.ts'
import { promiseOf, promiseOfTwice } from './promise.ts'
import { LARGER, OF_FOUR, onlyForSweeps, SMALL, SWEEPS } from './scenarios.ts'
import { openSlots, type Slots } from './slots.ts'

/*
 * redisStore on a Cluster, where no step spans two slots: whatever single commands of others come
 * between those of an operation, and wherever one dies, every promise holds.
 */
describe('redisStore, in every order of single commands:', () => {
  let server: Closable
  let slots: Slots
  const total = { orderings: 0, moments: 0 }

  before(async () => {
    const redis = await startRedis()
    server = redis
    slots = await openSlots(redis.url)
  })
  after(async () => {
    slots.close()
    await server.close()
  })

  /** `whole`: also what only a sweep would read, in every order. */
  function everyOrder(scenario: Scenario, whole: boolean): Promise<string> {
    const how = whole ? {} : { atOnce: onlyForSweeps(scenario) }
    return everyOrderOf(scenario, promiseOf(scenario), how)
  }

  async function everyOrderOf(scenario: Scenario, checks: Checks, how: Exploring): Promise<string> {
    const { orderings, moments, longest } = await explore(slots, scenario, checks, how)
    assert.ok(orderings > 3, 'there was nothing to interleave')
    total.orderings += orderings
    total.moments += moments
    return `${count(orderings)} orderings of up to ${longest} commands, ${moments} moments`
  }

  const soaks = process.env['COATCHECK_RUNS'] !== undefined
  for (const [what, scenario] of Object.entries(SMALL)) {
    it(`${what}: every promise holds [INV-3]`, patience, async (t) => {
      t.diagnostic(await everyOrder(scenario, true))
    })
  }
  for (const [what, scenario] of Object.entries({ ...LARGER, ...OF_FOUR })) {
    it(`${what}: every promise holds [INV-3]`, patience, async (t) => {
      t.diagnostic(await everyOrder(scenario, soaks))
    })
  }
  for (const [what, scenario] of Object.entries(SWEEPS)) {
    it(`${what}: every promise holds [INV-3]`, patience, async (t) => {
      t.diagnostic(await everyOrder(scenario, false))
    })
  }

  for (const [what, scenario] of Object.entries({ ...SMALL, ...LARGER })) {
    it(
      `${what}: no sign-out misses anybody where a client sends a command again`,
      patience,
      async (t) => {
        const how = { atOnce: onlyForSweeps(scenario), twice: true }
        t.diagnostic(await everyOrderOf(scenario, promiseOfTwice(scenario), how))
      },
    )
  }

  it('tells slots as a Cluster does', () => {
    // The Redis Cluster specification's own example of its CRC16, and of hash tags.
    assert.equal(slotOf('123456789'), 0x31c3)
    assert.equal(slotOf('{user1000}.following'), slotOf('foo{user1000}.followers'))
  })

  after(() => {
    const { orderings, moments } = total
    console.log(
      `${count(orderings)} orderings through ${moments} moments; ` +
        `${slots.asked} commands were run on the server`,
    )
  })
})

function count(orderings: number): string {
  return orderings < 1e6 ? String(orderings) : orderings.toExponential(1)
}
