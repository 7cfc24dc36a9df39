import assert from 'node:assert/strict'
import { bytes, type DefineTest, HOUR, toText } from './trial.ts'

/** `get` of what the caller has read before. */
export function testReading(test: DefineTest): void {
  test('answers what it holds to whoever has read it before', async (trial) => {
    const { store, add } = trial
    const id = await add('one')
    const known = await store.get(id)
    assert.equal(toText(await store.get(id, known)), 'one')
    assert.equal(toText(await store.get(id, known)), 'one')
  })

  test('answers what replaced it, of the same length or not', async (trial) => {
    const { store, record, add } = trial
    const id = await add('one')
    let text = 'one'
    let known = await store.get(id)
    for (const next of ['two', 'six', 'a longer one', 'large '.repeat(5_000), 'one']) {
      assert.equal(await store.replace(id, bytes(text), record(next)), true)
      const now = await store.get(id, known)
      assert.equal(toText(now), next)
      assert.equal(toText(known), text)
      known = now
      text = next
    }
  })

  test('answers nothing where it was removed [INV-1]', async (trial) => {
    const { store, add, name, removeAll, removal, mark, now } = trial
    const index = name()
    const id = await add('one')
    const other = await add('one', { indexes: [index] })
    const [known, knownOther] = [await store.get(id), await store.get(other)]
    await store.remove(id)
    assert.equal(await store.get(id, known), undefined)
    await removeAll(index, removal(mark('here', now())))
    assert.equal(await store.get(other, knownOther), undefined)
  })

  test('answers who came after what was removed', async (trial) => {
    const { store, record, add } = trial
    const id = await add('one')
    const known = await store.get(id)
    await store.remove(id)
    assert.equal(await store.insert(id, record('two')), true)
    assert.equal(toText(await store.get(id, known)), 'two')
  })

  test('answers nothing where it has expired meanwhile', async (trial) => {
    const { store, add, advance } = trial
    const id = await add('one')
    const known = await store.get(id)
    assert.equal(toText(await store.get(id, known)), 'one')
    advance(HOUR)
    assert.equal(await store.get(id, known), undefined)
  })

  test('answers by the id, whatever the caller has read', async (trial) => {
    const { store, add, name } = trial
    const [one, two] = [await add('one'), await add('two')]
    const known = await store.get(one)
    assert.equal(toText(await store.get(two, known)), 'two')
    assert.equal(await store.get(name(), known), undefined)
    assert.equal(toText(await store.get(one, bytes('never read'))), 'one')
  })
}
