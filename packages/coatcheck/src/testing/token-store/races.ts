import assert from 'node:assert/strict'
import type { Owe } from '../../core/tokens/store.ts'
import { bytes, type DefineTest, owing, texts, toText } from './trial.ts'

const MANY = 30

/** What happens at the same time, in one process. */
export function testRaces(test: DefineTest): void {
  for (const clock of ['provider', 'here'] as const) {
    test(`lets no sign-in slip by a sign-out of the same moment, clock ${clock} [INV-3]`, async (trial) => {
      const { store, record, name, ids, text, removal, mark, now } = trial
      const index = name()
      const order = removal(mark(clock, now()))
      const arriving = Array.from({ length: MANY }, (_, at) => ({ id: name(), text: `${at}` }))
      const insert = (one: { id: string; text: string }): Promise<boolean> =>
        store.insert(one.id, record(one.text, { indexes: [index] }))
      const [before, step, after] = await Promise.all([
        Promise.all(arriving.slice(0, MANY / 2).map(insert)),
        trial.removeAll(index, order),
        Promise.all(arriving.slice(MANY / 2).map(insert)),
      ])
      const admitted = arriving.filter((_, at) => [...before, ...after][at])
      assert.deepEqual(texts(step.removed), admitted.map((one) => one.text).sort())
      assert.deepEqual(await ids(index), [])
      for (const { id } of arriving) assert.equal(await text(id), undefined)
    })

    test(`lets no refresh survive a sign-out of the same moment, clock ${clock} [INV-3]`, async (trial) => {
      const { store, record, add, name, ids, text, removal, mark, now } = trial
      const index = name()
      const sessions = await Promise.all(
        Array.from({ length: MANY }, () => add('old', { indexes: [index] })),
      )
      const replace = (id: string): Promise<boolean> =>
        store.replace(id, bytes('old'), record('new', { indexes: [index] }))
      const [before, step, after] = await Promise.all([
        Promise.all(sessions.slice(0, MANY / 2).map(replace)),
        trial.removeAll(index, removal(mark(clock, now()))),
        Promise.all(sessions.slice(MANY / 2).map(replace)),
      ])
      const replaced = [...before, ...after]
      assert.equal(step.removed.length, MANY)
      for (const { id, value } of step.removed) {
        assert.equal(toText(value), replaced[sessions.indexOf(id)] ? 'new' : 'old')
      }
      assert.deepEqual(await ids(index), [])
      for (const id of sessions) assert.equal(await text(id), undefined)
    })
  }

  test('gives each record to one of many removals of the same moment, and owes for it once', async (trial) => {
    const { store, add, record, name, ids, removal, mark, now } = trial
    const [first, second, owed] = [name(), name(), name()]
    const sessions = await Promise.all(
      Array.from({ length: MANY }, (_, at) => add(`${at}`, { indexes: [first, second] })),
    )
    const owe: Owe = (removed) =>
      removed.map(({ id }) => {
        return { id: `${name()}/${id}`, record: record('owed', { indexes: [owed] }) }
      })
    const order = removal(mark('here', now()), { owe })
    const taken = await Promise.all([
      ...sessions.map(async (id) => ({ id, value: await store.remove(id, owe) })),
      ...[first, second, first].map((index) => trial.removeAll(index, order)),
    ])
    const removed = taken.flatMap((one) => {
      if ('removed' in one) return one.removed.map((entry) => entry.id)
      return one.value === undefined ? [] : one.id
    })
    assert.deepEqual(removed.sort(), [...sessions].sort())
    assert.equal((await ids(owed)).length, MANY)
    assert.deepEqual([await ids(first), await ids(second)], [[], []])
  })

  test('gives a record that is replaced and removed at the same moment to the removal whole', async (trial) => {
    const { store, record, add, text } = trial
    for (let round = 0; round < MANY; round++) {
      const id = await add('old')
      const next = record('new')
      const replace = () => store.replace(id, bytes('old'), next)
      const remove = () => store.remove(id)
      const [replaced, removed] =
        round % 2 === 0
          ? await Promise.all([replace(), remove()])
          : await Promise.all([remove(), replace()]).then(([a, b]) => [b, a] as const)
      assert.equal(toText(removed), replaced ? 'new' : 'old')
      assert.equal(await text(id), undefined)
    }
  })

  test('finishes a removal in steps that several carry out at once', async (trial) => {
    const { add, name, ids, removal, mark, now } = trial
    const [index, owed] = [name(), name()]
    const sessions = await Promise.all(
      Array.from({ length: MANY }, () => add('one', { indexes: [index] })),
    )
    const order = removal(mark('here', now()), { limit: 4, owe: owing(trial, owed) })
    const carryOut = async (): Promise<string[]> => {
      const removed: string[] = []
      for (;;) {
        const step = await trial.removeAll(index, order)
        removed.push(...step.removed.map((entry) => entry.id))
        if (!step.more) return removed
      }
    }
    const removed = await Promise.all([carryOut(), carryOut(), carryOut()])
    assert.deepEqual(removed.flat().sort(), [...sessions].sort())
    assert.deepEqual(await ids(index), [])
    assert.equal((await ids(owed)).length, MANY)
  })
}
