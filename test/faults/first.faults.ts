import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startReplicated } from '../servers/replicated.ts'
import { createRandom } from './random.ts'
import { createRounds } from './rounds.ts'
import { startWorld } from './start.ts'

it('keeps the promise on Redis while processes are killed', { timeout: 300_000 }, async (t) => {
  const seed = Number(process.env['COATCHECK_SEED'] ?? Math.floor(Math.random() * 1e9))
  t.diagnostic(`seed ${seed}`)
  const random = createRandom(seed)
  const servers = await startReplicated()
  t.after(() => servers.close())
  const world = await startWorld({
    random,
    place: (nth) => ({
      kind: 'sentinels',
      driver: nth % 2 === 0 ? 'ioredis' : 'node-redis',
      name: servers.name,
      nodes: servers.sentinels,
      ways: {},
      confirmReplicas: 0,
    }),
  })
  t.after(() => world.close())
  const rounds = createRounds(world)
  for (let round = 0; round < Number(process.env['COATCHECK_ROUNDS'] ?? 3); round += 1) {
    const began = performance.now()
    await rounds.play({
      kind: 'kill -9 of a process',
      async befall() {
        const replaced = [world.crew.killOne(), world.crew.killOne()]
        return async () => void (await Promise.all(replaced))
      },
    })
    t.diagnostic(`round ${round}: ${Math.round(performance.now() - began)} ms`)
    assert.deepEqual(world.history.violations, [])
  }
  t.diagnostic(JSON.stringify(world.attempts.filter((one) => !one.succeeded).slice(0, 5)))
  const { signOuts, sessions } = world.history
  const done = signOuts.filter(({ outcome }) => outcome === 'done').length
  t.diagnostic(
    JSON.stringify({
      signIns: sessions.length,
      signOuts: signOuts.length,
      done,
      served: world.served,
      failed: world.failed,
      excuses: [...rounds.excuses],
      longest: [...world.availability.longest],
      open: world.open.size,
    }),
  )
})
