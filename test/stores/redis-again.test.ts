import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createAgain } from '#coatcheck/stores/redis/again'
import { settle } from '../support/application.ts'

it('does removals again at every reconnect, also after one that came before the server was ready', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const again = createAgain()
  let isReady = false
  let done = 0
  again.remember(async () => {
    if (!isReady) throw new Error('LOADING Redis is loading the dataset in memory')
    done += 1
  })
  again.run()
  await settle()
  isReady = true
  t.mock.timers.tick(1_000)
  await settle()
  assert.equal(done, 1)
  again.run()
  await settle()
  assert.equal(done, 2)
})

it('forgets a removal after a minute, but none that waits to be done again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const again = createAgain()
  const done: string[] = []
  let isReady = true
  const remember = (name: string): void =>
    again.remember(async () => {
      if (!isReady) throw new Error('LOADING Redis is loading the dataset in memory')
      done.push(name)
    })
  remember('long ago')
  now += 61_000
  remember('before the server was away')
  now += 300_000
  isReady = false
  again.run()
  await settle()
  remember('meanwhile')
  isReady = true
  t.mock.timers.tick(1_000)
  await settle()
  assert.deepEqual(done, ['before the server was away', 'meanwhile'])
})
