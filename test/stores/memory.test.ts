import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryStore } from '#coatcheck/stores/memory'
import { testTokenStore } from '#coatcheck/testing/token-store'

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
})
