import assert from 'node:assert/strict'
import type { Owe } from '../../core/tokens/store.ts'
import { type DefineTest, HOUR, owedFor, owing, texts, toText } from './trial.ts'

/** `remove`. */
export function testRemoving(test: DefineTest): void {
  test('removes a record and returns what it held', async ({ store, add, text, name, ids }) => {
    const index = name()
    const id = await add('one', { indexes: [index] })
    assert.equal(toText(await store.remove(id)), 'one')
    assert.equal(await text(id), undefined)
    assert.deepEqual(await ids(index), [])
  })

  test('answers undefined where there is nothing to remove', async ({ store, add, name }) => {
    assert.equal(await store.remove(name()), undefined)
    const id = await add('one')
    await store.remove(id)
    assert.equal(await store.remove(id), undefined)
  })

  test('gives what a removed record held to exactly one caller', async ({ store, add }) => {
    const id = await add('one')
    const removed = await Promise.all(Array.from({ length: 20 }, () => store.remove(id)))
    assert.deepEqual(removed.map(toText).filter(Boolean), ['one'])
  })

  test('leaves the other records of an index findable [INV-6]', async (trial) => {
    const { store, add, name, ids, removal, mark, now } = trial
    const index = name()
    const [one, two, three] = await Promise.all(
      ['one', 'two', 'three'].map((text) => add(text, { indexes: [index] })),
    )
    await store.remove(two as string)
    assert.deepEqual(await ids(index), [one, three].sort())
    const { removed } = await trial.removeAll(index, removal(mark('here', now())))
    assert.deepEqual(texts(removed), ['one', 'three'])
  })

  test('accepts the id of a removed record again', async ({ store, record, add, text }) => {
    const id = await add('one')
    await store.remove(id)
    assert.equal(await store.insert(id, record('two')), true)
    assert.equal(await text(id), 'two')
  })

  test('writes what is owed for a removed record, found under its own index', async (trial) => {
    const { store, add, text, name, ids } = trial
    const owed = name()
    const id = await add('one')
    await store.remove(id, owing(trial, owed))
    assert.deepEqual(await ids(owed), [owedFor(id)])
    assert.equal(await text(owedFor(id)), 'owed for one')
  })

  test('owes nothing where nothing was removed, or nothing is owed', async (trial) => {
    const { store, add, name, ids } = trial
    const owed = name()
    const asked: string[] = []
    await store.remove(name(), owing(trial, owed))
    assert.deepEqual(await ids(owed), [])
    const id = await add('one')
    await store.remove(id, (removed) => {
      asked.push(...removed.map((entry) => `${entry.id} ${toText(entry.value)}`))
      return []
    })
    assert.deepEqual([...new Set(asked)], [`${id} one`])
  })

  test('owes once, however many callers remove', async (trial) => {
    const { store, add, record, name, text } = trial
    const id = await add('one')
    const owed: string[] = []
    const owe: Owe = () => {
      const successor = { id: `${name()}/${id}`, record: record('owed') }
      owed.push(successor.id)
      return [successor]
    }
    await Promise.all(Array.from({ length: 20 }, () => store.remove(id, owe)))
    const written = await Promise.all(owed.map(text))
    assert.deepEqual(written.filter(Boolean), ['owed'])
  })

  test('still finds a record that has expired, so that what is owed for it is not lost', async (trial) => {
    const { store, add, name, ids, advance, removal, mark, now } = trial
    const [index, owed] = [name(), name()]
    const one = await add('one')
    const two = await add('two', { indexes: [index] })
    advance(HOUR + 1)
    const owe = owing(trial, owed)
    assert.equal(toText(await store.remove(one, owe)), 'one')
    const { removed } = await trial.removeAll(index, removal(mark('here', now()), { owe }))
    assert.deepEqual(texts(removed), ['two'])
    assert.deepEqual(await ids(owed), [owedFor(one), owedFor(two)].sort())
  })

  test('removes nothing where what is owed cannot be told', async ({
    store,
    add,
    text,
    name,
    ids,
  }) => {
    const index = name()
    const id = await add('one', { indexes: [index] })
    const failure = new Error('not readable')
    await assert.rejects(
      store.remove(id, () => {
        throw failure
      }),
    )
    assert.equal(await text(id), 'one')
    assert.deepEqual(await ids(index), [id])
  })
}
