import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import type { TokenStore } from '#coatcheck/core/tokens/store'
import { memoryStore } from '#coatcheck/stores/memory'
import { migratePostgres, postgresStore } from '#coatcheck/stores/postgres'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import type { Closable } from '../servers/workplace.ts'
import { type Act, aftermath, NOW, type Story, tell } from './postgres-orders.ts'
import { createSchedule } from './postgres-schedule.ts'

const STORIES = 50

describe('postgresStore, one statement at a time', () => {
  let server: PostgresServer & Closable
  let pool: pg.Pool
  let monitor: pg.Client
  let told = 0
  before(async () => {
    server = await startPostgres({ settings: { deadlock_timeout: '100ms' } })
    pool = new pg.Pool({ ...server.config, max: 20 })
    monitor = new pg.Client(server.config)
    await monitor.connect()
    await migratePostgres(pool)
  })
  after(async () => {
    await monitor.end()
    await pool.end()
    await server.close()
  })

  /** What a story came to on the server, where it is one that no order of its operations has. */
  async function findWrong(
    seed: number,
    change?: (text: string) => string,
  ): Promise<string | undefined> {
    const pick = randomFrom(seed)
    const prefix = `${told++} ${seed} `
    const story = tell(prefix, pick)
    const store = postgresStore(pool, { now: () => NOW })
    for (const act of story.setup) await act.run(store)
    const schedule = createSchedule(pool, monitor, pick)
    const answers: unknown[] = []
    const actors = story.acts.map(() => postgresStore(schedule.actor(change), { now: () => NOW }))
    // Each looks at the schema once, which is not what this is about.
    for (const actor of actors) await actor.now()
    await schedule.run(
      story.acts.map((act, at) => async () => {
        answers[at] = await act.run(actors[at] as TokenStore)
      }),
    )
    const came = JSON.stringify([answers, await aftermath(store, prefix)])
    await store.close()
    const could = await allOutcomes(story, prefix)
    if (could.has(came)) return undefined
    return [`seed ${seed}`, ...story.setup, '--', ...story.acts, came, '-- could be', ...could]
      .map((one) => (typeof one === 'string' ? one : one.name))
      .join('\n')
  }

  it(`comes to what some order of the operations comes to, in ${STORIES} stories [INV-3]`, async () => {
    for (let seed = 1; seed <= STORIES; seed++) assert.equal(await findWrong(seed), undefined)
  })

  for (const [what, change] of [
    ['do not lock the indexes', (text: string) => text.replace(/; SELECT pg_advisory[^;]*/g, '')],
    [
      'lock them shared for a removal too',
      (text: string) => text.replaceAll('xact_lock(', 'xact_lock_shared('),
    ],
    [
      'see what was there when they began',
      (text: string) => text.replace('READ COMMITTED', 'REPEATABLE READ'),
    ],
  ] as const) {
    it(`would notice transactions that ${what}`, async () => {
      for (let seed = 1; seed <= 10 * STORIES; seed++) {
        if ((await findWrong(seed, change)) !== undefined) return
      }
      assert.fail('nothing was noticed')
    })
  }
})

/** What every order of the operations comes to in one process, one after the other. */
async function allOutcomes({ setup, acts }: Story, prefix: string): Promise<Set<string>> {
  const outcomes = new Set<string>()
  for (const order of permutations(acts.map((_, at) => at))) {
    const store = memoryStore({ now: () => NOW })
    for (const act of setup) await act.run(store)
    const answers: unknown[] = []
    for (const at of order) answers[at] = await (acts[at] as Act).run(store)
    outcomes.add(JSON.stringify([answers, await aftermath(store, prefix)]))
  }
  return outcomes
}

function permutations(all: readonly number[]): number[][] {
  if (all.length === 0) return [[]]
  return all.flatMap((one) =>
    permutations(all.filter((other) => other !== one)).map((rest) => [one, ...rest]),
  )
}

/** Numbers that are the same for the same seed (mulberry32). */
function randomFrom(seed: number): (count: number) => number {
  let state = seed
  return (count) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count)
  }
}
