import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { startRedis } from '../../servers/redis.ts'
import type { Closable } from '../../servers/workplace.ts'
import { patience } from '../runs.ts'
import { explore } from './explore.ts'
import { BROKEN, MUTATIONS } from './mutations.ts'
import { promiseOf, promiseOfTwice } from './promise.ts'
import { LARGER, onlyForSweeps, SMALL } from './scenarios.ts'
import { openSlots, type Slots } from './slots.ts'

describe('a redisStore that breaks one rule of its order is caught:', () => {
  let server: Closable
  let slots: Slots

  before(async () => {
    const redis = await startRedis()
    server = redis
    slots = await openSlots(redis.url)
    for (const { source } of Object.values(BROKEN)) await slots.load(source)
  })
  after(async () => {
    slots.close()
    await server.close()
  })

  for (const { name, breaks, scenario: where, twice = false, broken } of MUTATIONS) {
    it(name, patience, async (t) => {
      const scenario = { ...SMALL, ...LARGER }[where]
      assert.ok(scenario, `there is no scenario "${where}"`)
      const how = { atOnce: onlyForSweeps(scenario), twice, broken }
      const checks = twice ? promiseOfTwice(scenario) : promiseOf(scenario)
      await assert.rejects(explore(slots, scenario, checks, how), ({ message }: Error) => {
        t.diagnostic(message)
        assert.ok(message.startsWith(`[${breaks}] `), `It was caught by something else: ${message}`)
        return true
      })
    })
  }
})

it('keeps the table of what was caught by which promise', () => {
  const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  for (const { name, breaks } of MUTATIONS) {
    assert.ok(page.includes(`| ${name} | ${breaks} |`), `README.md has no row for "${name}"`)
  }
})
