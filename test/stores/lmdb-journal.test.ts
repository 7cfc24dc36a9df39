import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RootDatabase } from 'lmdb'
import { lmdbStore } from '#coatcheck/stores/lmdb'
import { createJournal, type Journal } from '#coatcheck/stores/lmdb/journal'
import { openJournalFile } from '#coatcheck/stores/lmdb/journal-file'
import { type Recording, recordWrites } from '#coatcheck/stores/lmdb/recording'
import { createSteps } from '#coatcheck/stores/lmdb/steps'
import { openTable } from '#coatcheck/stores/lmdb/table'
import { assertConsistent } from './consistency.ts'
import { openEnvironment } from './environment.ts'
import { recordOf, signOut } from './lmdb-worker.ts'

describe('the journal of lmdbStore', () => {
  it('does not take a step whose commit failed for one that another did with its number', (t) => {
    const { recording, journal } = start(t)
    const write = (value: string): void => {
      recording.table.put(Buffer.from('v test'), Buffer.from(value))
    }
    let failed: ReturnType<Journal['noting']> | undefined
    assert.throws(() =>
      recording.table.transactionSync(() => {
        failed = journal.noting(() => write('lost'))
        throw new Error('The disk is full.')
      }),
    )
    assert.ok(failed !== undefined)
    assert.equal(journal.visible()(failed), false)
    const other = recording.table.transactionSync(() => journal.noting(() => write('kept')))
    assert.equal(other.number, failed.number)
    assert.equal(journal.visible()(other), true)
    assert.equal(journal.visible()(failed), false)
    const next = recording.table.transactionSync(() => journal.noting(() => write('again')))
    assert.deepEqual([failed, other, next].map(journal.visible()), [false, true, true])
  })

  it('nor where the other left a hole', (t) => {
    const { recording, journal } = start(t)
    let failed: ReturnType<Journal['noting']> | undefined
    assert.throws(() =>
      recording.table.transactionSync(() => {
        failed = journal.noting(() =>
          recording.table.put(Buffer.from('v test'), Buffer.from('lost')),
        )
        throw new Error('The disk is full.')
      }),
    )
    const large = Buffer.alloc(200_000)
    const hole = recording.table.transactionSync(() =>
      journal.noting(() => recording.table.put(Buffer.from('v test'), large)),
    )
    assert.ok(failed !== undefined)
    assert.deepEqual([hole.isNoted, hole.number], [false, failed.number])
    assert.equal(journal.visible()(failed), false)
    // Until the environment is known to be on disk, the journal shows nothing.
    const small = (): ReturnType<Journal['noting']> =>
      recording.table.transactionSync(() =>
        journal.noting(() => recording.table.put(Buffer.from('v test'), Buffer.from('small'))),
      )
    assert.equal(small().isNoted, false)
    journal.flushed(hole.number)
    assert.equal(small().isNoted, true)
  })

  it('is not trusted any more by a process whose disk refused it once', async (t) => {
    const environment = openEnvironment()
    t.after(environment.close)
    const { table } = openTable(environment.database)
    const recording = recordWrites(table)
    const file = openJournalFile(environment.database, table)
    assert.ok(file !== undefined)
    const sync = async (): Promise<void> => {
      throw new Error('EIO')
    }
    const journal = createJournal(table, recording, { ...file, sync })
    const step = (): ReturnType<Journal['noting']> =>
      table.transactionSync(() =>
        journal.noting(() => recording.table.put(Buffer.from('v test'), Buffer.from('any'))),
      )
    assert.equal(step().isNoted, true)
    await assert.rejects(journal.sync(true), /EIO/)
    assert.equal(step().isNoted, false)
    journal.flushed(9)
    assert.equal(step().isNoted, false)
    file.close()
  })

  it('nor by those who waited for the next flush when one was refused', async (t) => {
    const environment = openEnvironment()
    t.after(environment.close)
    const { table } = openTable(environment.database)
    const file = openJournalFile(environment.database, table)
    assert.ok(file !== undefined)
    // The system tells of what it dropped once: the next flush succeeds.
    const refusals = [new Error('EIO')]
    const sync = async (): Promise<void> => {
      const refusal = refusals.pop()
      if (refusal !== undefined) throw refusal
    }
    const journal = createJournal(table, recordWrites(table), { ...file, sync })
    const [first, second] = [journal.sync(true), journal.sync(false)]
    await assert.rejects(first, /EIO/)
    await assert.rejects(second, /could not be written/)
    file.close()
  })

  it('is flushed once for all that was written together, whoever comes last', async (t) => {
    const environment = openEnvironment()
    t.after(environment.close)
    const { table } = openTable(environment.database)
    const file = openJournalFile(environment.database, table)
    assert.ok(file !== undefined)
    const order: string[] = []
    const asked = (name: string, isLast: boolean): Promise<unknown> =>
      file.sync(isLast).then(() => order.push(name))
    const first = file.sync(false)
    assert.equal(file.sync(false), first)
    const all = [
      first.then(() => order.push('of one turn')),
      asked('the last of it', true),
      asked('after it', true),
    ]
    // The one that is under way may miss what came after it.
    assert.notEqual(file.sync(true), first)
    await Promise.all(all)
    assert.equal(order.at(-1), 'after it')
    await file.sync(false)
    file.close()
  })

  it('does not take for committed what another store wrote in the same transaction', (t) => {
    const { recording, journal, database } = start(t)
    const other = start(t, database)
    let found: ReturnType<Journal['noting']> | undefined
    assert.throws(() =>
      recording.table.transactionSync(() => {
        journal.noting(() => recording.table.put(Buffer.from('v test'), Buffer.from('lost')))
        found = other.journal.noting(() => 'already gone')
        throw new Error('The disk is full.')
      }),
    )
    assert.ok(found !== undefined)
    assert.equal(other.journal.visible()(found), false)
  })

  it('lets nobody wait for ever where the disk refuses both it and the environment', async (t) => {
    const { recording, journal } = start(t)
    const { transaction } = recording.table
    const seen = Promise.withResolvers<void>()
    const table = {
      ...recording.table,
      // As lmdb 3.5.6 does: the commit is seen by everybody, then fails, and is never flushed.
      async transaction<T>(work: () => T): Promise<T> {
        await transaction(work)
        await seen.promise
        throw new Error('EIO of the environment')
      },
      committed: Promise.resolve(),
      flushed: new Promise(() => undefined),
    }
    const sync = async (): Promise<void> => {
      throw new Error('EIO of the journal')
    }
    const visible: Journal['visible'] = () => {
      const isVisible = journal.visible()
      return (step) => {
        const isSeen = isVisible(step)
        if (isSeen) seen.resolve()
        return isSeen
      }
    }
    const steps = createSteps(table, { ...journal, sync, visible })
    const write = (): unknown => recording.table.put(Buffer.from('v test'), Buffer.from('any'))
    await assert.rejects(steps.durable(write), /EIO of the environment/)
  })

  it('tells who only found what others wrote that the disk refused it', async (t) => {
    const { recording, journal } = start(t)
    const sync = async (): Promise<void> => {
      throw new Error('EIO of the journal')
    }
    const steps = createSteps(recording.table, { ...journal, sync })
    await assert.rejects(
      steps.durable(() => 'gone already'),
      /EIO of the journal/,
    )
    // Who wrote waits for the environment instead.
    const write = (): unknown => recording.table.put(Buffer.from('v test'), Buffer.from('any'))
    await steps.durable(write)
  })

  it('does not get in the way of an environment that is closed while steps are under way', async (t) => {
    const { path, database, close } = openEnvironment()
    t.after(() => rmSync(path, { recursive: true, force: true }))
    const store = lmdbStore(database)
    const ids = ['a1', 'a2', 'a3']
    for (const id of ids) await store.insert(id, recordOf(id, { indexes: ['alice'] }))
    const removed = ids.map((id) => store.remove(id))
    await store.close()
    await close()
    for (const value of await Promise.all(removed)) assert.notEqual(value, undefined)
  })

  for (const again of ['by another process that was there', 'by one that starts'] as const) {
    it(`goes on ${again} where one was killed between its entry and its commit`, async (t) => {
      const { path, database, close } = openEnvironment()
      t.after(close)
      const store = lmdbStore(database)
      for (const id of ['a1', 'a2']) await store.insert(id, recordOf(id, { indexes: ['alice'] }))
      await store.insert('b1', recordOf('b1', { indexes: ['bob'] }))
      await killedBeforeCommit(path)
      assert.notEqual(store.get('a1'), undefined, 'nobody was told that it is gone')
      const next = again === 'by one that starts' ? lmdbStore(database) : store
      await signOut(next, { index: 'bob', at: Date.now() })
      await signOut(next, { index: 'alice', at: Date.now(), owed: 'owed' })
      for (const one of [store, next, lmdbStore(database)]) {
        for (const id of ['a1', 'a2', 'b1']) assert.equal(one.get(id), undefined)
        assert.equal((await one.list('owed', { limit: 9 })).length, 2)
      }
      assertConsistent(database)
    })
  }
})

function start(
  t: TestContext,
  database: RootDatabase = emptyDatabase(t),
): { database: RootDatabase; recording: Recording; journal: Journal } {
  const { table } = openTable(database)
  const recording = recordWrites(table)
  const file = openJournalFile(database, table)
  t.after(() => file?.close())
  return { database, recording, journal: createJournal(table, recording, file) }
}

function emptyDatabase(t: TestContext): RootDatabase {
  const { database, close } = openEnvironment()
  t.after(close)
  return database
}

async function killedBeforeCommit(path: string): Promise<void> {
  const child = fork(fileURLToPath(new URL('lmdb-dying.ts', import.meta.url)), [path])
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
}
