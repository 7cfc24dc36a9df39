import assert from 'node:assert/strict'
import type { RemovalStep } from '../../core/tokens/store.ts'
import { type DefineTest, owing, SECOND, type Trial, texts } from './trial.ts'

/** `removeAll`, but for the mark it leaves. */
export function testRemovingAll(test: DefineTest): void {
  test('removes what the provider established until then, and nothing later [INV-5]', async (trial) => {
    const { store, name, ids, text, removal, mark, now } = trial
    const index = name()
    await addEstablished(trial, index, 'earlier', now() - SECOND)
    await addEstablished(trial, index, 'at that time', now())
    const later = await addEstablished(trial, index, 'later', now() + 1)
    const step = await store.removeAll(index, removal(mark('provider', now())))
    assert.deepEqual(texts(step.removed), ['at that time', 'earlier'])
    assert.equal(step.more, false)
    assert.deepEqual(await ids(index), [later])
    assert.equal(await text(later), 'later')
  })

  test('removes all that exist where the provider named no time', async (trial) => {
    const { store, name, ids, removal, mark, now } = trial
    const index = name()
    await addEstablished(trial, index, 'earlier', now() - SECOND)
    await addEstablished(trial, index, 'ahead of our clock', now() + 60 * SECOND)
    const step = await store.removeAll(index, removal(mark('here', now())))
    assert.deepEqual(texts(step.removed), ['ahead of our clock', 'earlier'])
    assert.deepEqual(await ids(index), [])
  })

  test('returns the id and the bytes of each removed record', async (trial) => {
    const { store, add, name, text, removal, mark, now } = trial
    const index = name()
    const id = await add('one', { indexes: [index] })
    const { removed } = await store.removeAll(index, removal(mark('here', now())))
    assert.deepEqual(
      removed.map((entry) => entry.id),
      [id],
    )
    assert.deepEqual(texts(removed), ['one'])
    assert.equal(await text(id), undefined)
  })

  test('removes nothing of another index [INV-5]', async (trial) => {
    const { store, add, name, ids, text, removal, mark, now } = trial
    const [alice, bob] = [name(), name()]
    await add('hers', { indexes: [alice] })
    const his = await add('his', { indexes: [bob] })
    const none = await add('of no index')
    await store.removeAll(alice, removal(mark('here', now())))
    assert.deepEqual(await ids(bob), [his])
    assert.equal(await text(his), 'his')
    assert.equal(await text(none), 'of no index')
  })

  test('removes nothing of an index whose name only begins alike', async (trial) => {
    const { store, add, name, ids, removal, mark, now } = trial
    const index = name()
    const longer = `${index}0`
    await add('one', { indexes: [index] })
    const other = await add('two', { indexes: [longer] })
    const { removed } = await store.removeAll(index, removal(mark('here', now())))
    assert.deepEqual(texts(removed), ['one'])
    assert.deepEqual(await ids(longer), [other])
  })

  test('removes a record from all its indexes', async (trial) => {
    const { store, add, name, ids, removal, mark, now } = trial
    const [session, subject] = [name(), name()]
    await add('one', { indexes: [session, subject] })
    await store.removeAll(session, removal(mark('here', now())))
    assert.deepEqual(await ids(subject), [])
    const again = await store.removeAll(subject, removal(mark('here', now())))
    assert.deepEqual(again, { removed: [], more: false })
  })

  test('finds nothing under an index that nobody used', async (trial) => {
    const { store, name, removal, mark, now } = trial
    const step = await store.removeAll(name(), removal(mark('provider', now())))
    assert.deepEqual(step, { removed: [], more: false })
  })

  test('writes what is owed for each removed record', async (trial) => {
    const { store, add, name, text, removal, mark, now } = trial
    const [index, owed] = [name(), name()]
    const one = await add('one', { indexes: [index] })
    const two = await add('two', { indexes: [index] })
    await store.removeAll(index, removal(mark('here', now()), { owe: owing(trial, owed) }))
    assert.equal(await text(`owed-${one}`), 'owed for one')
    assert.equal(await text(`owed-${two}`), 'owed for two')
    assert.equal((await store.list(owed, { limit: 10 })).length, 2)
  })

  test('takes no more than the limit in one step, and goes on when called again', async (trial) => {
    const { store, add, name, ids, removal, mark, now } = trial
    const index = name()
    for (const text of ['a', 'b', 'c', 'd', 'e']) await add(text, { indexes: [index] })
    const order = removal(mark('here', now()), { limit: 2 })
    const steps: RemovalStep[] = []
    do steps.push(await store.removeAll(index, order))
    while (steps.at(-1)?.more && steps.length < 10)
    assert.deepEqual(
      steps.map((step) => [step.removed.length, step.more]),
      [
        [2, true],
        [2, true],
        [1, false],
      ],
    )
    assert.deepEqual(texts(steps.flatMap((step) => step.removed)), ['a', 'b', 'c', 'd', 'e'])
    assert.deepEqual(await ids(index), [])
  })

  test('says that nothing remains where exactly the limit is covered', async (trial) => {
    const { store, name, text, removal, mark, now } = trial
    const index = name()
    for (const one of ['a', 'b']) await addEstablished(trial, index, one, now())
    await addEstablished(trial, index, 'later', now() + SECOND)
    const order = removal(mark('provider', now()), { limit: 2 })
    const step = await store.removeAll(index, order)
    assert.deepEqual(texts(step.removed), ['a', 'b'])
    assert.equal(step.more, false)
    assert.equal(await text(order.unfinished.id), undefined)
  })

  test('leaves word in the first step that a removal is unfinished [INV-15]', async (trial) => {
    const { store, add, name, ids, text, record, removal, mark, now } = trial
    const [index, work] = [name(), name()]
    for (const one of ['a', 'b', 'c']) await add(one, { indexes: [index] })
    const unfinished = { id: name(), record: record('to be finished', { indexes: [work] }) }
    const order = removal(mark('here', now()), { limit: 1, unfinished })
    await store.removeAll(index, order)
    assert.equal(await text(unfinished.id), 'to be finished')
    assert.deepEqual(await ids(work), [unfinished.id])
  })

  test('does not write over the word that somebody left before', async (trial) => {
    const { store, add, name, text, record, removal, mark, now } = trial
    const index = name()
    for (const one of ['a', 'b', 'c']) await add(one, { indexes: [index] })
    const unfinished = { id: await add('by another'), record: record('to be finished') }
    await store.removeAll(index, removal(mark('here', now()), { limit: 1, unfinished }))
    assert.equal(await text(unfinished.id), 'by another')
  })

  test('removes nothing and leaves no mark where what is owed cannot be told', async (trial) => {
    const { store, add, name, ids, record, removal, mark, now } = trial
    const index = name()
    const id = await add('one', { indexes: [index] })
    const owe = (): never => {
      throw new Error('not readable')
    }
    await assert.rejects(store.removeAll(index, removal(mark('here', now()), { owe })))
    assert.deepEqual(await ids(index), [id])
    assert.equal(await store.insert(name(), record('two', { indexes: [index] })), true)
  })
}

function addEstablished(trial: Trial, index: string, text: string, at: number): Promise<string> {
  return trial.add(text, { indexes: [index], established: { provider: at, here: at } })
}
