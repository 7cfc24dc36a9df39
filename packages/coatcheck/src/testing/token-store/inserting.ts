import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { bytes, type DefineTest, HOUR } from './trial.ts'

/** `now`, `get` and `insert`. */
export function testInserting(test: DefineTest): void {
  test('tells the time of the clock it was opened with', async ({ store, now, advance }) => {
    assert.equal(await store.now(), now())
    advance(HOUR)
    assert.equal(await store.now(), now())
  })

  test('answers undefined for an id that nobody inserted', async ({ store, name }) => {
    assert.equal(await store.get(name()), undefined)
  })

  test('returns what was inserted', async ({ add, text }) => {
    assert.equal(await text(await add('one')), 'one')
  })

  test('returns each of the 256 byte values as it was inserted', async (trial) => {
    const value = Uint8Array.from({ length: 512 }, (_, at) => at % 256)
    await assertKept(trial, value)
  })

  test('returns an empty value as it was inserted', async (trial) => {
    await assertKept(trial, new Uint8Array(0))
  })

  for (const size of [1_000, 2_000, 4_000, 4_096, 8_192, 100_000]) {
    test(`returns a value of ${size} bytes as it was inserted`, async (trial) => {
      await assertKept(trial, randomBytes(size))
    })
  }

  test('refuses an id that is taken, and keeps what was there', async (trial) => {
    const { store, record, add, text, ids, name } = trial
    const [first, second] = [name(), name()]
    const id = await add('one', { indexes: [first] })
    assert.equal(await store.insert(id, record('two', { indexes: [second] })), false)
    assert.equal(await text(id), 'one')
    assert.deepEqual(await ids(first), [id])
    assert.deepEqual(await ids(second), [])
  })

  test('lets exactly one of many concurrent inserts have an id', async (trial) => {
    const { store, record, name, text } = trial
    const id = name()
    const inserted = await Promise.all(
      Array.from({ length: 20 }, (_, at) => store.insert(id, record(`by ${at}`))),
    )
    assert.equal(inserted.filter(Boolean).length, 1)
    assert.equal(await text(id), `by ${inserted.indexOf(true)}`)
  })

  test('finds a record under each of its indexes', async ({ add, ids, name }) => {
    const [first, second] = [name(), name()]
    const id = await add('one', { indexes: [first, second] })
    assert.deepEqual(await ids(first), [id])
    assert.deepEqual(await ids(second), [id])
  })

  test('finds a record once under an index that it names twice', async (trial) => {
    const { store, add, ids, name } = trial
    const index = name()
    const id = await add('one', { indexes: [index, index] })
    assert.deepEqual(await ids(index), [id])
    await store.remove(id)
    assert.deepEqual(await ids(index), [])
  })

  test('does not return a record that has expired', async ({ add, text, advance, now }) => {
    const id = await add('one', { expiresAt: now() + HOUR })
    advance(HOUR - 1)
    assert.equal(await text(id), 'one')
    advance(2)
    assert.equal(await text(id), undefined)
  })

  test('accepts the id of a record that has expired', async (trial) => {
    const { store, record, add, text, ids, advance, name } = trial
    const [old, fresh] = [name(), name()]
    const id = await add('one', { indexes: [old] })
    advance(HOUR + 1)
    assert.equal(await store.insert(id, record('two', { indexes: [fresh] })), true)
    assert.equal(await text(id), 'two')
    assert.deepEqual(await ids(fresh), [id])
    assert.deepEqual(await ids(old), [])
  })
}

async function assertKept(trial: Parameters<Parameters<DefineTest>[1]>[0], value: Uint8Array) {
  const { store, record, name } = trial
  const [id, other] = [name(), name()]
  await store.insert(id, { ...record(''), value })
  await store.insert(other, { ...record(''), value: bytes('other') })
  const found = await store.get(id)
  assert.ok(found !== undefined)
  assert.equal(Buffer.compare(found, value), 0)
}
