import assert from 'node:assert/strict'
import { bytes, type DefineTest, HOUR, toText } from './trial.ts'

/** `replace`. */
export function testReplacing(test: DefineTest): void {
  test('replaces a record that still holds the expected bytes', async (trial) => {
    const { store, record, add, text } = trial
    const id = await add('one')
    assert.equal(await store.replace(id, bytes('one'), record('two')), true)
    assert.equal(await text(id), 'two')
  })

  test('replaces a record by a much larger and a much smaller one', async (trial) => {
    const { store, record, add, text } = trial
    const id = await add('one')
    const large = 'large '.repeat(5_000)
    assert.equal(await store.replace(id, bytes('one'), record(large)), true)
    assert.equal(await text(id), large)
    assert.equal(await store.replace(id, bytes(large), record('')), true)
    assert.equal(await text(id), '')
  })

  for (const [difference, expected] of [
    ['in one byte', 'onf'],
    ['by being shorter', 'on'],
    ['by being longer', 'one '],
    ['by being empty', ''],
  ] as const) {
    test(`refuses to replace where the expected bytes differ ${difference}`, async (trial) => {
      const { store, record, add, text, ids, name } = trial
      const index = name()
      const id = await add('one')
      const next = record('two', { indexes: [index] })
      assert.equal(await store.replace(id, bytes(expected), next), false)
      assert.equal(await text(id), 'one')
      assert.deepEqual(await ids(index), [])
    })
  }

  test('does not create a record by replacing one that never was', async (trial) => {
    const { store, record, name, text, ids } = trial
    const [id, index] = [name(), name()]
    const next = record('one', { indexes: [index] })
    assert.equal(await store.replace(id, bytes(''), next), false)
    assert.equal(await text(id), undefined)
    assert.deepEqual(await ids(index), [])
  })

  test('does not bring back a record that was removed [INV-3]', async (trial) => {
    const { store, record, add, text } = trial
    const id = await add('one')
    await store.remove(id)
    assert.equal(await store.replace(id, bytes('one'), record('two')), false)
    assert.equal(await text(id), undefined)
  })

  for (const clock of ['provider', 'here'] as const) {
    test(`does not bring back a record that was removed by its index, clock ${clock}`, async (trial) => {
      const { store, record, add, text, name, ids, removal, mark, now } = trial
      const index = name()
      const id = await add('one', { indexes: [index] })
      await trial.removeAll(index, removal(mark(clock, now())))
      const next = record('two', { indexes: [index] })
      assert.equal(await store.replace(id, bytes('one'), next), false)
      assert.equal(await text(id), undefined)
      assert.deepEqual(await ids(index), [])
    })
  }

  test('does not replace a record that has expired', async (trial) => {
    const { store, record, add, text, advance } = trial
    const id = await add('one')
    advance(HOUR + 1)
    assert.equal(await store.replace(id, bytes('one'), record('two')), false)
    assert.equal(await text(id), undefined)
  })

  test('lets exactly one of many concurrent replacements win', async (trial) => {
    const { store, record, add, text } = trial
    const id = await add('one')
    const replaced = await Promise.all(
      Array.from({ length: 20 }, (_, at) => store.replace(id, bytes('one'), record(`by ${at}`))),
    )
    assert.equal(replaced.filter(Boolean).length, 1)
    assert.equal(await text(id), `by ${replaced.indexOf(true)}`)
  })

  test('loses no update of many that read, change and replace', async (trial) => {
    const { store, record, add, text } = trial
    const id = await add('0')
    const increment = async (): Promise<void> => {
      for (;;) {
        const value = await store.get(id)
        assert.ok(value !== undefined)
        if (await store.replace(id, value, record(String(Number(toText(value)) + 1)))) return
      }
    }
    await Promise.all(Array.from({ length: 20 }, increment))
    assert.equal(await text(id), '20')
  })

  test('finds a replaced record by the indexes of the new one only', async (trial) => {
    const { store, record, add, ids, name } = trial
    const [dropped, kept, added] = [name(), name(), name()]
    const id = await add('one', { indexes: [dropped, kept] })
    const next = record('two', { indexes: [kept, added] })
    assert.equal(await store.replace(id, bytes('one'), next), true)
    assert.deepEqual(await ids(dropped), [])
    assert.deepEqual(await ids(kept), [id])
    assert.deepEqual(await ids(added), [id])
  })

  test('keeps a replaced record under its index beyond its first expiry [INV-7]', async (trial) => {
    const { store, record, add, text, ids, name, advance, now } = trial
    const index = name()
    const id = await add('one', { indexes: [index], expiresAt: now() + HOUR })
    const next = record('two', { indexes: [index], expiresAt: now() + 3 * HOUR })
    await store.replace(id, bytes('one'), next)
    advance(2 * HOUR)
    for (let round = 0; round < 100; round++) await store.sweep(() => [], 100)
    assert.equal(await text(id), 'two')
    assert.deepEqual(await ids(index), [id])
  })

  test('lets a replaced record expire earlier', async ({
    store,
    record,
    add,
    text,
    advance,
    now,
  }) => {
    const id = await add('one', { expiresAt: now() + 3 * HOUR })
    await store.replace(id, bytes('one'), record('two', { expiresAt: now() + HOUR }))
    advance(2 * HOUR)
    assert.equal(await text(id), undefined)
  })
}
