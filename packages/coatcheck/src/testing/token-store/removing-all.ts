import assert from 'node:assert/strict'
import type { RemovalStep } from '../../core/tokens/store.ts'
import {
  bytes,
  type DefineTest,
  owedFor,
  owing,
  SECOND,
  type Trial,
  texts,
  toText,
} from './trial.ts'

/** `removeAll`, but for the mark it leaves. */
export function testRemovingAll(test: DefineTest): void {
  test('removes what the provider established until then, and nothing later [INV-5]', async (trial) => {
    const { name, ids, text, removal, mark, now } = trial
    const index = name()
    await addEstablished(trial, index, 'earlier', now() - SECOND)
    await addEstablished(trial, index, 'at that time', now())
    const later = await addEstablished(trial, index, 'later', now() + 1)
    const step = await trial.removeAll(index, removal(mark('provider', now())))
    assert.deepEqual(texts(step.removed), ['at that time', 'earlier'])
    assert.equal(step.more, false)
    assert.deepEqual(await ids(index), [later])
    assert.equal(await text(later), 'later')
  })

  test('removes all that exist where the provider named no time', async (trial) => {
    const { name, ids, removal, mark, now } = trial
    const index = name()
    await addEstablished(trial, index, 'earlier', now() - SECOND)
    await addEstablished(trial, index, 'ahead of our clock', now() + 60 * SECOND)
    const step = await trial.removeAll(index, removal(mark('here', now())))
    assert.deepEqual(texts(step.removed), ['ahead of our clock', 'earlier'])
    assert.deepEqual(await ids(index), [])
  })

  test('returns the id and the bytes of each removed record', async (trial) => {
    const { add, name, text, removal, mark, now } = trial
    const index = name()
    const id = await add('one', { indexes: [index] })
    const { removed } = await trial.removeAll(index, removal(mark('here', now())))
    assert.deepEqual(
      removed.map((entry) => entry.id),
      [id],
    )
    assert.deepEqual(texts(removed), ['one'])
    assert.equal(await text(id), undefined)
  })

  test('removes nothing of another index [INV-5]', async (trial) => {
    const { add, name, ids, text, removal, mark, now } = trial
    const [alice, bob] = [name(), name()]
    await add('hers', { indexes: [alice] })
    const his = await add('his', { indexes: [bob] })
    const none = await add('of no index')
    await trial.removeAll(alice, removal(mark('here', now())))
    assert.deepEqual(await ids(bob), [his])
    assert.equal(await text(his), 'his')
    assert.equal(await text(none), 'of no index')
  })

  test('removes nothing of an index whose name only begins alike', async (trial) => {
    const { add, name, ids, removal, mark, now } = trial
    const index = name()
    const longer = `${index}0`
    await add('one', { indexes: [index] })
    const other = await add('two', { indexes: [longer] })
    const { removed } = await trial.removeAll(index, removal(mark('here', now())))
    assert.deepEqual(texts(removed), ['one'])
    assert.deepEqual(await ids(longer), [other])
  })

  test('removes a record from all its indexes', async (trial) => {
    const { add, name, ids, removal, mark, now } = trial
    const [session, subject] = [name(), name()]
    await add('one', { indexes: [session, subject] })
    await trial.removeAll(session, removal(mark('here', now())))
    assert.deepEqual(await ids(subject), [])
    const again = await trial.removeAll(subject, removal(mark('here', now())))
    assert.deepEqual(again, { removed: [], more: false })
  })

  test('finds nothing under an index that nobody used', async (trial) => {
    const { name, removal, mark, now } = trial
    const step = await trial.removeAll(name(), removal(mark('provider', now())))
    assert.deepEqual(step, { removed: [], more: false })
  })

  test('writes what is owed for each removed record', async (trial) => {
    const { store, add, name, text, removal, mark, now } = trial
    const [index, owed] = [name(), name()]
    const one = await add('one', { indexes: [index] })
    const two = await add('two', { indexes: [index] })
    await trial.removeAll(index, removal(mark('here', now()), { owe: owing(trial, owed) }))
    assert.equal(await text(owedFor(one)), 'owed for one')
    assert.equal(await text(owedFor(two)), 'owed for two')
    assert.equal((await store.list(owed, { limit: 10 })).length, 2)
  })

  test('takes no more than the limit in one step, and goes on when called again', async (trial) => {
    const { add, name, ids, removal, mark, now } = trial
    const index = name()
    for (const text of ['a', 'b', 'c', 'd', 'e']) await add(text, { indexes: [index] })
    const order = removal(mark('here', now()), { limit: 2 })
    const steps: RemovalStep[] = []
    do steps.push(await trial.removeAll(index, order))
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
    const { name, text, removal, mark, now } = trial
    const index = name()
    for (const one of ['a', 'b']) await addEstablished(trial, index, one, now())
    await addEstablished(trial, index, 'later', now() + SECOND)
    const order = removal(mark('provider', now()), { limit: 2 })
    const step = await trial.removeAll(index, order)
    assert.deepEqual(texts(step.removed), ['a', 'b'])
    assert.equal(step.more, false)
    assert.equal(await text(order.unfinished.id), undefined)
  })

  test('leaves word in the first step that a removal is unfinished [INV-15]', async (trial) => {
    const { add, name, ids, text, record, removal, mark, now } = trial
    const [index, work] = [name(), name()]
    for (const one of ['a', 'b', 'c']) await add(one, { indexes: [index] })
    const unfinished = { id: name(), record: record('to be finished', { indexes: [work] }) }
    const order = removal(mark('here', now()), { limit: 1, unfinished })
    await trial.removeAll(index, order)
    assert.equal(await text(unfinished.id), 'to be finished')
    assert.deepEqual(await ids(work), [unfinished.id])
  })

  test('does not write over the word that somebody left before', async (trial) => {
    const { add, name, text, record, removal, mark, now } = trial
    const index = name()
    for (const one of ['a', 'b', 'c']) await add(one, { indexes: [index] })
    const unfinished = { id: await add('by another'), record: record('to be finished') }
    await trial.removeAll(index, removal(mark('here', now()), { limit: 1, unfinished }))
    assert.equal(await text(unfinished.id), 'by another')
  })

  test('removes nothing by an index where what is owed cannot be told', async (trial) => {
    const { add, name, ids, text, removal, mark, now } = trial
    const index = name()
    const id = await add('one', { indexes: [index] })
    const owe = (): never => {
      throw new Error('not readable')
    }
    await assert.rejects(trial.removeAll(index, removal(mark('here', now()), { owe })))
    assert.deepEqual(await ids(index), [id])
    assert.equal(await text(id), 'one')
  })

  test('leaves several marks and removes what each of them covers, in one step [BCL-15]', async (trial) => {
    const { store, add, name, text, record, removal, mark, now } = trial
    const [one, two, marked] = [name(), name(), name()]
    await add('of one', { indexes: [one] })
    await add('of both', { indexes: [one, two] })
    await add('of two', { indexes: [two] })
    const marks = [one, two, marked].map((index) => ({ index, mark: mark('here', now()) }))
    const step = await store.removeAll(marks, removal(mark('here', now()), { limit: 3 }))
    assert.deepEqual(texts(step.removed), ['of both', 'of one', 'of two'])
    assert.equal(step.more, false)
    for (const index of [one, two, marked]) {
      const late = name()
      assert.equal(await store.insert(late, record('late', { indexes: [index] })), false)
      assert.equal(await text(late), undefined)
    }
  })

  test('counts the limit over all marks, and goes on where it stopped', async (trial) => {
    const { store, add, name, ids, removal, mark, now } = trial
    const [one, two] = [name(), name()]
    for (const text of ['a', 'b', 'c']) await add(text, { indexes: [one] })
    for (const text of ['d', 'e', 'f']) await add(text, { indexes: [two] })
    const marks = [one, two].map((index) => ({ index, mark: mark('here', now()) }))
    const order = removal(mark('here', now()), { limit: 2 })
    const steps: RemovalStep[] = []
    do steps.push(await store.removeAll(marks, order))
    while (steps.at(-1)?.more && steps.length < 10)
    assert.deepEqual(
      steps.map((step) => [step.removed.length, step.more]),
      [
        [2, true],
        [2, true],
        [2, false],
      ],
    )
    assert.deepEqual(texts(steps.flatMap(({ removed }) => removed)), ['a', 'b', 'c', 'd', 'e', 'f'])
    assert.deepEqual([await ids(one), await ids(two)], [[], []])
  })

  test('returns what it held to whoever has listed it, and what replaced that', async (trial) => {
    const { store, add, name, record, removal, mark, now } = trial
    const index = name()
    const same = await add('same', { indexes: [index] })
    const replaced = await add('one', { indexes: [index] })
    const known = await store.list(index, { limit: 10 })
    assert.equal(
      await store.replace(replaced, bytes('one'), record('two', { indexes: [index] })),
      true,
    )
    await add('came later', { indexes: [index] })
    const owed: string[] = []
    const order = removal(mark('here', now()), {
      known,
      owe(removed) {
        owed.push(...removed.map(({ value }) => toText(value) ?? ''))
        return []
      },
    })
    const { removed } = await trial.removeAll(index, order)
    assert.deepEqual(texts(removed), ['came later', 'same', 'two'])
    assert.deepEqual(owed.sort(), ['came later', 'same', 'two'])
    assert.equal(toText(removed.find(({ id }) => id === same)?.value), 'same')
  })

  test('keeps who signed in since a removal was begun that is resumed', async (trial) => {
    const { name, ids, removal, mark, now } = trial
    const index = name()
    await addEstablished(trial, index, 'before', now())
    const since = await addEstablished(trial, index, 'since', now() + 1)
    const order = removal(mark('here', now()), { resumed: true })
    assert.deepEqual(texts((await trial.removeAll(index, order)).removed), ['before'])
    assert.deepEqual(await ids(index), [since])
  })
}

function addEstablished(trial: Trial, index: string, text: string, at: number): Promise<string> {
  return trial.add(text, { indexes: [index], established: { provider: at, here: at } })
}
