import assert from 'node:assert/strict'
import { type DefineTest, HOUR, toText } from './trial.ts'

/** `list`. */
export function testListing(test: DefineTest): void {
  test('lists nothing under an index that nobody used', async ({ store, name }) => {
    assert.deepEqual(await store.list(name(), { limit: 10 }), [])
  })

  test('lists ids and bytes in the order of the ids', async ({ store, record, name }) => {
    const index = name()
    const prefix = name()
    const names = ['b', 'B', '_', '9', 'aa', 'a', '-', 'Z', '10']
    for (const one of names) {
      await store.insert(`${prefix}${one}`, record(one, { indexes: [index] }))
    }
    const listed = await store.list(index, { limit: 100 })
    assert.deepEqual(
      listed.map((entry) => entry.id),
      names.map((one) => `${prefix}${one}`).sort(),
    )
    assert.deepEqual(
      listed.map((entry) => toText(entry.value)),
      [...names].sort(),
    )
  })

  test('lists every record once, page by page', async ({ store, add, name }) => {
    const index = name()
    const ids = await Promise.all(
      Array.from({ length: 25 }, () => add('one', { indexes: [index] })),
    )
    const listed: string[] = []
    const sizes: number[] = []
    for (let after: string | undefined; ; ) {
      const page = await store.list(index, { limit: 10, ...(after !== undefined && { after }) })
      sizes.push(page.length)
      listed.push(...page.map((entry) => entry.id))
      after = page.at(-1)?.id
      if (page.length < 10) break
    }
    assert.deepEqual(sizes, [10, 10, 5])
    assert.deepEqual(listed, [...ids].sort())
  })

  test('goes on after an id that is gone meanwhile', async ({ store, add, name }) => {
    const index = name()
    const ids = await Promise.all(Array.from({ length: 6 }, () => add('one', { indexes: [index] })))
    ids.sort()
    const after = ids[2] as string
    await store.remove(after)
    const page = await store.list(index, { after, limit: 2 })
    assert.deepEqual(
      page.map((entry) => entry.id),
      ids.slice(3, 5),
    )
  })

  test('does not list another index, nor one whose name begins alike', async (trial) => {
    const { add, name, ids } = trial
    const index = name()
    await add('other', { indexes: [name(), `${index}0`] })
    const id = await add('one', { indexes: [index] })
    assert.deepEqual(await ids(index), [id])
  })

  test('fills a page with records that live, past those that have expired', async (trial) => {
    const { store, add, name, now, advance } = trial
    const index = name()
    const lasting: string[] = []
    for (let at = 0; at < 8; at++) {
      const expiresAt = now() + (at % 2 === 0 ? HOUR : 3 * HOUR)
      const id = await add('one', { indexes: [index], expiresAt })
      if (at % 2 === 1) lasting.push(id)
    }
    advance(2 * HOUR)
    const page = await store.list(index, { limit: 4 })
    assert.deepEqual(
      page.map((entry) => entry.id),
      lasting.sort(),
    )
  })
}
