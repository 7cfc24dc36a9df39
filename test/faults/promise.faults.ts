import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Arena } from './arena.ts'
import { startCluster } from './cluster.ts'
import { planFor, ROUNDS } from './plan.ts'
import { startPostgres } from './postgres.ts'
import { createRandom } from './random.ts'
import { reportOf } from './report.ts'
import { createRounds, type Rounds } from './rounds.ts'
import { startSentinels } from './sentinels.ts'
import { settle } from './settle.ts'
import { startWorld } from './start.ts'
import type { World } from './world.ts'

const { COATCHECK_SEED, COATCHECK_ROUNDS, COATCHECK_STORES } = process.env
const seed = Number(COATCHECK_SEED ?? Math.floor(Math.random() * 1e9))
const count = Number(COATCHECK_ROUNDS ?? ROUNDS)

const ARENAS: Record<string, () => Promise<Arena>> = {
  sentinels: startSentinels,
  cluster: startCluster,
  postgres: startPostgres,
}
const chosen = Object.entries(ARENAS).filter(
  ([name]) => COATCHECK_STORES === undefined || COATCHECK_STORES.split(',').includes(name),
)

/** A busy machine takes ten times as long as one of its own. */
const patient = { timeout: 240_000 + count * 60_000 }

describe('the promise, under faults', { timeout: 6 * patient.timeout }, () => {
  const played: { name: string; arena: Arena; world: World; rounds: Rounds }[] = []
  const closing: (() => Promise<void>)[] = []
  before(() => console.log(`COATCHECK_SEED=${seed} repeats the choices.`))
  after(async () => {
    for (const close of closing.reverse()) await close()
  })

  for (const [name, start] of chosen) {
    it(`is kept on ${name} by eight processes, whatever befalls them`, patient, async (t) => {
      const arena = await start()
      closing.push(() => arena.close())
      const random = createRandom(seed)
      const world = await startWorld({ random, place: arena.place })
      closing.push(() => world.close())
      const rounds = createRounds(world)
      const faultOf = planFor(world, arena)
      for (let round = 0; round < count; round += 1) {
        const fault = faultOf(round)
        const began = performance.now()
        await rounds.play(fault)
        t.diagnostic(`${Math.round(performance.now() - began)} ms: ${fault.kind}`)
        assertKept(world, `round ${round}: ${fault.kind}`)
      }
      played.push({ name, arena, world, rounds })
    })
  }

  for (const [name] of chosen) {
    it(`leaves nothing owed and nothing behind on ${name}`, patient, async (t) => {
      const found = played.find((one) => one.name === name)
      assert.ok(found, 'its rounds did not come to their end')
      const { arena, world, rounds } = found
      const settled = await settle(world, arena, rounds)
      for (const line of [arena.name, ...reportOf(world, rounds, settled)]) t.diagnostic(line)
      assertKept(world, 'at the end')
      const done = world.history.signOuts.filter(({ outcome }) => outcome === 'done')
      assert.ok(done.length > 10 * rounds.count, 'too few sign-outs to show anything')
    })
  }
})

/** Tells the whole story of whatever was broken. */
function assertKept({ history }: World, when: string): void {
  const stories = history.violations.map(({ promise, story }) => [promise, ...story].join('\n    '))
  assert.equal(stories.length, 0, `${when}, with seed ${seed}:\n  ${stories.join('\n  ')}`)
}
