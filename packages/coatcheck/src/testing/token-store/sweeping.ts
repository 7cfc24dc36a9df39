import assert from 'node:assert/strict'
import type { Owe, StoredEntry } from '../../core/tokens/store.ts'
import { type DefineTest, HOUR, owedFor, owing, SECOND, type Trial, texts } from './trial.ts'

/** `sweep`. */
export function testSweeping(test: DefineTest): void {
  test('sweeps what has expired, returns it, and leaves the rest', async (trial) => {
    const { store, add, name, ids, text, now, advance } = trial
    const index = name()
    await add('expired', { indexes: [index], expiresAt: now() + HOUR })
    const lasting = await add('lasting', { indexes: [index], expiresAt: now() + 2 * HOUR })
    assert.deepEqual(texts(await sweepAll(trial)), [])
    advance(HOUR + 1)
    assert.deepEqual(texts(await sweepAll(trial)), ['expired'])
    assert.deepEqual(texts(await sweepAll(trial)), [])
    assert.deepEqual(await ids(index), [lasting])
    assert.equal(await text(lasting), 'lasting')
    await store.remove(lasting)
  })

  test('is not empty while it keeps a record, however old', async ({ store, add, advance }) => {
    const id = await add('one')
    assert.equal(await store.isEmpty(), false)
    advance(HOUR + 1)
    assert.equal(await store.isEmpty(), false)
    await store.remove(id)
  })

  test('does not sweep a record whose life was prolonged', async (trial) => {
    const { store, record, add, text, now, advance } = trial
    const id = await add('one', { expiresAt: now() + HOUR })
    const held = await store.get(id)
    await store.replace(id, held as Uint8Array, record('two', { expiresAt: now() + 3 * HOUR }))
    advance(2 * HOUR)
    assert.deepEqual(texts(await sweepAll(trial)), [])
    assert.equal(await text(id), 'two')
    advance(2 * HOUR)
    assert.deepEqual(texts(await sweepAll(trial)), ['two'])
  })

  test('writes what is owed for what it sweeps', async (trial) => {
    const { add, name, ids, text, advance } = trial
    const owed = name()
    const id = await add('one')
    advance(HOUR + 1)
    await sweepAll(trial, owing(trial, owed))
    assert.deepEqual(await ids(owed), [owedFor(id)])
    assert.equal(await text(owedFor(id)), 'owed for one')
  })

  test('sweeps at most the limit at once, and less only where no more has expired', async (trial) => {
    const { store, add, advance } = trial
    for (let at = 0; at < 7; at++) await add('one')
    advance(HOUR + 1)
    const sizes: number[] = []
    do sizes.push((await store.sweep(() => [], 3)).length)
    while (sizes.at(-1) === 3)
    assert.ok(sizes.every((size) => size <= 3))
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) >= 7)
    assert.deepEqual(await store.sweep(() => [], 3), [])
  })

  test('finds expired records behind any number of claims and marks', async (trial) => {
    const { store, add, name, now, advance, removal, mark } = trial
    for (let at = 0; at < 20; at++) {
      await store.claim(name(), now() + SECOND)
      await trial.removeAll(name(), removal(mark('here', now(), now() + SECOND)))
    }
    await add('one')
    advance(HOUR + 1)
    assert.deepEqual(texts(await sweepAll(trial, undefined, 2)), ['one'])
  })

  test('gives a swept record to one of many sweeps of the same moment', async (trial) => {
    const { store, add, advance, name, ids, isOwn } = trial
    const owed = name()
    const mine: string[] = []
    for (let at = 0; at < 10; at++) mine.push(await add('one'))
    advance(HOUR + 1)
    const owe = owing(trial, owed)
    const swept = await Promise.all(Array.from({ length: 5 }, () => store.sweep(owe, 10_000)))
    const own = swept.flat().filter((entry) => isOwn(entry.id))
    assert.deepEqual(own.map((entry) => entry.id).sort(), mine.sort())
    assert.equal((await ids(owed)).length, 10)
  })
}

/** Sweeps until nothing is left, and returns what this test added. */
async function sweepAll(
  { store, isOwn }: Trial,
  owe: Owe = () => [],
  limit = 50,
): Promise<StoredEntry[]> {
  const swept: StoredEntry[] = []
  for (;;) {
    const step = await store.sweep(owe, limit)
    swept.push(...step.filter((entry) => isOwn(entry.id)))
    if (step.length < limit) return swept
  }
}
