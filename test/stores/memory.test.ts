import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryStore } from '#coatcheck/stores/memory'
import { testTokenStore } from '#coatcheck/testing/token-store'

it('is empty until it keeps a record, and when that is gone', async () => {
  const store = memoryStore()
  assert.equal(await store.isEmpty(), true)
  const at = Date.now()
  const established = { provider: at, here: at }
  await store.insert('one', {
    value: Buffer.of(1),
    expiresAt: at + 1_000,
    established,
    indexes: [],
  })
  assert.equal(await store.isEmpty(), false)
  await store.remove('one')
  assert.equal(await store.isEmpty(), true)
})

describe('memoryStore', () => {
  testTokenStore(it, memoryStore)

  it('answers get without a promise: the hot path waits for nothing', async () => {
    const store = memoryStore()
    const value = Uint8Array.of(1)
    const expiresAt = Date.now() + 60_000
    await store.insert('one', {
      value,
      expiresAt,
      established: { provider: 0, here: 0 },
      indexes: [],
    })
    assert.equal(store.get('one'), value)
    assert.equal(store.get('two'), undefined)
  })

  it('answers others between the steps of a long removal', async () => {
    const store = memoryStore()
    const at = Date.now()
    const record = {
      value: Uint8Array.of(1),
      expiresAt: at + 60_000,
      established: { provider: at, here: at },
      indexes: ['user'],
    }
    for (let nth = 0; nth < 5; nth++) await store.insert(`session ${nth}`, record)
    const removal = {
      owe: () => [],
      limit: 1,
      resumed: false,
      unfinished: { id: 'unfinished', record: { ...record, indexes: [] } },
    }
    const mark = { clock: 'here', establishedUntil: at, keepUntil: at + 60_000 } as const
    let steps = 1
    let answered = 0
    setImmediate(function other() {
      answered += 1
      if (answered < 4) setImmediate(other)
    })
    while ((await store.removeAll([{ index: 'user', mark }], removal)).more) steps += 1
    assert.equal(steps, 5)
    assert.equal(answered, 4)
  })
})
