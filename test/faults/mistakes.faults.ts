import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Redis } from 'ioredis'
import { redisContents } from '#coatcheck/testing/remains/redis'
import { startRedis } from '../servers/redis.ts'
import type { Arena } from './arena.ts'
import type { Mistake } from './mistakes.ts'
import { createRandom } from './random.ts'
import { createRounds } from './rounds.ts'
import { settle } from './settle.ts'
import { startWorld } from './start.ts'

const FOUND: Record<Mistake, RegExp> = {
  remembers: /^served although it was over/,
  'claims for all': /^a refresh_token came twice/,
  'owes nothing': /^a revocation that is owed did not reach the provider/,
}

for (const [mistake, promise] of Object.entries(FOUND) as [Mistake, RegExp][]) {
  it(`finds a store that ${mistake}`, { timeout: 180_000 }, async (t) => {
    const arena = await startMistaken(mistake)
    t.after(() => arena.close())
    const random = createRandom(1)
    const world = await startWorld({ random, place: arena.place, processes: 3 })
    t.after(() => world.close())
    const rounds = createRounds(world)
    const isFound = (): boolean =>
      world.history.violations.some((violation) => promise.test(violation.promise))
    while (!isFound() && rounds.count < 5) {
      await rounds.play({ kind: 'nothing', befall: async () => async () => {} })
      if (mistake === 'owes nothing') await settle(world, arena, rounds, 5000)
    }
    t.diagnostic(`found after ${rounds.count} rounds`)
    assert.ok(isFound())
  })
}

async function startMistaken(mistake: Mistake): Promise<Arena> {
  const server = await startRedis()
  return {
    name: 'Redis',
    place: () => ({
      kind: 'mistaken',
      mistake,
      place: {
        kind: 'redis',
        driver: 'ioredis',
        nodes: [{ host: '127.0.0.1', port: server.port }],
        ways: {},
        confirmReplicas: 0,
      },
    }),
    faults: () => [],
    async examine(look) {
      const client = new Redis(server.port)
      try {
        return await look(redisContents(client))
      } finally {
        client.disconnect()
      }
    },
    close: () => server.close(),
  }
}
