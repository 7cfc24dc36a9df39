import assert from 'node:assert/strict'
import { type DefineTest, SECOND } from './trial.ts'

/** `claim`. */
export function testClaims(test: DefineTest): void {
  test('grants a claim to exactly one of many concurrent callers', async ({ store, name, now }) => {
    const key = name()
    const granted = await Promise.all(
      Array.from({ length: 20 }, () => store.claim(key, now() + SECOND)),
    )
    assert.equal(granted.filter(Boolean).length, 1)
  })

  test('refuses a claim until the earlier one has ended, and then grants it', async (trial) => {
    const { store, name, now, advance } = trial
    const key = name()
    assert.equal(await store.claim(key, now() + 10 * SECOND), true)
    advance(10 * SECOND - 1)
    assert.equal(await store.claim(key, now() + 60 * SECOND), false)
    // The refusal prolonged nothing.
    advance(2)
    assert.equal(await store.claim(key, now() + 60 * SECOND), true)
    assert.equal(await store.claim(key, now() + 60 * SECOND), false)
  })

  test('grants a claim that has ended to exactly one of many', async (trial) => {
    const { store, name, now, advance } = trial
    const key = name()
    await store.claim(key, now() + SECOND)
    advance(SECOND + 1)
    const granted = await Promise.all(
      Array.from({ length: 20 }, () => store.claim(key, now() + SECOND)),
    )
    assert.equal(granted.filter(Boolean).length, 1)
  })

  test('grants claims on different keys, and does not mix them up with records', async (trial) => {
    const { store, record, name, now, text } = trial
    const [one, two] = [name(), name()]
    assert.equal(await store.claim(one, now() + SECOND), true)
    assert.equal(await store.claim(two, now() + SECOND), true)
    assert.equal(await store.insert(one, record('one', { indexes: [two] })), true)
    assert.equal(await text(one), 'one')
    assert.equal(await store.claim(one, now() + SECOND), false)
  })

  test('keeps a claim through sweeps until it ends', async (trial) => {
    const { store, name, now, advance } = trial
    const key = name()
    const sweepAll = async (): Promise<void> => {
      while ((await store.sweep(() => [], 100)).length === 100);
    }
    await store.claim(key, now() + 10 * SECOND)
    advance(9 * SECOND)
    await sweepAll()
    assert.equal(await store.claim(key, now() + SECOND), false)
    advance(2 * SECOND)
    // Granted again before anybody swept the first one.
    assert.equal(await store.claim(key, now() + 10 * SECOND), true)
    await sweepAll()
    assert.equal(await store.claim(key, now() + SECOND), false)
  })
}
