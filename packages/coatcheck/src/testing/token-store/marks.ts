import assert from 'node:assert/strict'
import type { Established, Mark } from '../../core/tokens/store.ts'
import { bytes, type DefineTest, HOUR, SECOND, type Trial } from './trial.ts'

/** The marks that `removeAll` leaves. */
export function testMarks(test: DefineTest): void {
  for (const clock of ['provider', 'here'] as const) testClock(test, clock)

  test('compares each mark with the time of its own clock only', async (trial) => {
    const { name, mark, now } = trial
    const [earlier, later] = [now() - SECOND, now() + SECOND]
    const [byProvider, byUs] = [name(), name()]
    await leave(trial, byProvider, mark('provider', now()))
    await leave(trial, byUs, mark('here', now()))
    assert.equal(await signIn(trial, [byProvider], { provider: later, here: earlier }), true)
    assert.equal(await signIn(trial, [byProvider], { provider: earlier, here: later }), false)
    assert.equal(await signIn(trial, [byUs], { provider: earlier, here: later }), true)
    assert.equal(await signIn(trial, [byUs], { provider: later, here: earlier }), false)
  })

  test('keeps the marks of both clocks on one index', async (trial) => {
    const { name, mark, now } = trial
    const [earlier, later] = [now() - SECOND, now() + SECOND]
    const index = name()
    await leave(trial, index, mark('provider', now()))
    await leave(trial, index, mark('here', now()))
    assert.equal(await signIn(trial, [index], { provider: earlier, here: later }), false)
    assert.equal(await signIn(trial, [index], { provider: later, here: earlier }), false)
    assert.equal(await signIn(trial, [index], { provider: later, here: later }), true)
  })
}

function testClock(test: DefineTest, clock: keyof Established): void {
  test(`refuses what was established before or at a mark, and admits what came later, clock ${clock}`, async (trial) => {
    const { name, mark, now } = trial
    const index = name()
    await leave(trial, index, mark(clock, now()))
    assert.equal(await signIn(trial, [index], both(now() - SECOND)), false)
    assert.equal(await signIn(trial, [index], both(now())), false)
    assert.equal(await signIn(trial, [index], both(now() + 1)), true)
  })

  test(`writes nothing of a record that a mark refuses, clock ${clock}`, async (trial) => {
    const { store, record, name, ids, text, mark, now } = trial
    const [free, marked, id] = [name(), name(), name()]
    await leave(trial, marked, mark(clock, now()))
    const refused = record('refused', { indexes: [free, marked], established: both(now()) })
    assert.equal(await store.insert(id, refused), false)
    assert.equal(await text(id), undefined)
    assert.deepEqual(await ids(free), [])
    assert.deepEqual(await ids(marked), [])
    const later = record('later', { indexes: [free], established: both(now()) })
    assert.equal(await store.insert(id, later), true)
  })

  test(`leaves no mark on another index, clock ${clock}`, async (trial) => {
    const { name, mark, now } = trial
    const index = name()
    await leave(trial, index, mark(clock, now()))
    assert.equal(await signIn(trial, [name()], both(now())), true)
    assert.equal(await signIn(trial, [], both(now())), true)
  })

  test(`keeps a mark when the user signs in again, clock ${clock}`, async (trial) => {
    const { name, mark, now } = trial
    const index = name()
    await leave(trial, index, mark(clock, now()))
    assert.equal(await signIn(trial, [index], both(now() + SECOND)), true)
    assert.equal(await signIn(trial, [index], both(now() - SECOND)), false)
  })

  test(`does not let an earlier mark weaken a later one, clock ${clock}`, async (trial) => {
    const { name, mark, now } = trial
    const index = name()
    await leave(trial, index, mark(clock, now()))
    await leave(trial, index, mark(clock, now() - 10 * SECOND))
    assert.equal(await signIn(trial, [index], both(now() - SECOND)), false)
    await leave(trial, index, mark(clock, now() + 10 * SECOND))
    assert.equal(await signIn(trial, [index], both(now() + SECOND)), false)
  })

  for (const [order, hours] of [
    ['the longer first', [3, 1]],
    ['the longer last', [1, 3]],
  ] as const) {
    test(`keeps a mark as long as the longest asked for, ${order}, clock ${clock}`, async (trial) => {
      const { name, mark, now, advance } = trial
      const index = name()
      const until = now()
      for (const one of hours) await leave(trial, index, mark(clock, until, now() + one * HOUR))
      advance(2 * HOUR)
      await sweepAll(trial)
      assert.equal(await signIn(trial, [index], both(until)), false)
    })
  }

  test(`forgets a mark when nothing older than it can arrive, clock ${clock}`, async (trial) => {
    const { name, mark, now, advance } = trial
    const index = name()
    const until = now()
    await leave(trial, index, mark(clock, until, now() + HOUR))
    advance(HOUR - 1)
    await sweepAll(trial)
    assert.equal(await signIn(trial, [index], both(until)), false)
    advance(2)
    await sweepAll(trial)
    assert.equal(await signIn(trial, [index], both(until)), true)
  })

  test(`refuses to replace by a record that a mark covers, clock ${clock}`, async (trial) => {
    const { store, record, add, text, ids, name, mark, now } = trial
    const [free, marked] = [name(), name()]
    const id = await add('one', { indexes: [free], established: both(now()) })
    await leave(trial, marked, mark(clock, now()))
    const next = record('two', { indexes: [free, marked], established: both(now()) })
    assert.equal(await store.replace(id, bytes('one'), next), false)
    assert.equal(await text(id), 'one')
    assert.deepEqual(await ids(marked), [])
    const later = record('two', { indexes: [free, marked], established: both(now() + 1) })
    assert.equal(await store.replace(id, bytes('one'), later), true)
  })

  test(`refuses to replace a record that an unfinished removal will come to, clock ${clock}`, async (trial) => {
    const { store, record, add, name, ids, text, removal, mark, now } = trial
    const index = name()
    for (const one of ['a', 'b', 'c']) await add(one, { indexes: [index] })
    const order = removal(mark(clock, now()), { limit: 1 })
    assert.equal((await trial.removeAll(index, order)).more, true)
    const [left] = await ids(index)
    assert.ok(left !== undefined)
    const held = (await text(left)) as string
    const next = record('refreshed', { indexes: [index] })
    assert.equal(await store.replace(left, bytes(held), next), false)
    assert.equal(await text(left), held)
  })
}

async function leave(trial: Trial, index: string, mark: Mark): Promise<void> {
  await trial.removeAll(index, trial.removal(mark))
}

function signIn(trial: Trial, indexes: string[], established: Established): Promise<boolean> {
  const { store, name, record, now } = trial
  const expiresAt = now() + 100 * HOUR
  return store.insert(name(), record('signed in', { indexes, established, expiresAt }))
}

function both(at: number): Established {
  return { provider: at, here: at }
}

async function sweepAll({ store }: Trial): Promise<void> {
  while ((await store.sweep(() => [], 100)).length === 100);
}
