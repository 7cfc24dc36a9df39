import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { open } from 'lmdb'
import type { StoredEntry, StoredRecord, Successor, TokenStore } from '#coatcheck/core/tokens/store'
import { lmdbStore } from '#coatcheck/stores/lmdb'
import { assertConsistent } from './consistency.ts'
import { openEnvironment } from './environment.ts'
import { type Files, filesIn, find, partlyWritten } from './lmdb-power.ts'

describe('lmdbStore, after a loss of power', () => {
  it('has signed out whoever was answered so, though nothing of it was in the environment yet [INV-1, INV-15]', async (t) => {
    const { store, flushed, files } = await start(t)
    await signIn(store, 'alice', ['a1', 'a2'])
    await signIn(store, 'bob', ['b1'])
    const before = await flushed()
    await signOut(store, 'alice')
    const { journal } = files()

    const found = find({ data: before.data, journal })
    for (const id of ['a1', 'a2']) {
      assert.equal(found.store.get(id), undefined)
      assert.equal(await found.store.replace(id, bytesOf(id), record(id, 'alice')), false)
      assert.notEqual(found.store.get(`owed/${id}`), undefined)
    }
    assert.deepEqual(await found.store.list('alice', { limit: 9 }), [])
    assert.equal(await found.store.insert('a3', record('a3', 'alice', Date.now() - 10_000)), false)
    assert.deepEqual(found.store.get('b1'), bytesOf('b1'))
    assertConsistent(found.database)
    await found.close()

    // Or else this shows nothing.
    const without = find({ data: before.data, journal: undefined })
    assert.deepEqual(without.store.get('a1'), bytesOf('a1'))
    await without.close()
  })

  it('keeps a sign-in and what was refreshed before it', async (t) => {
    const { store, flushed, files } = await start(t)
    await signIn(store, 'alice', ['a1'])
    const before = await flushed()
    const fresh = { ...record('a1', 'alice'), value: Buffer.from('fresh') }
    assert.equal(await store.replace('a1', bytesOf('a1'), fresh), true)
    await signIn(store, 'alice', ['a2'])
    const found = find({ data: before.data, journal: files().journal })
    assert.equal(String(found.store.get('a1')), 'fresh')
    assert.deepEqual(found.store.get('a2'), bytesOf('a2'))
    await found.close()
  })

  it('keeps all that was answered, whatever part of the pages had reached the disk', async (t) => {
    for (let round = 0; round < 12; round++) {
      const { store, pinned, files } = await start(t)
      const history = createHistory(store)
      for (let step = 0; step < 15; step++) await history.step()
      const before = await pinned()
      for (let step = 0; step < randomInt(1, 12); step++) await history.step()
      const { data, journal } = files()
      // It is lost once more before anything that was done again reaches the disk.
      for (const often of [0, 20, 50, 80, 100]) {
        const disk = partlyWritten(before.data, data, () => randomInt(100) < often)
        const found = find({ data: disk, journal })
        await history.check(found.store)
        assertConsistent(found.database)
        await found.close()
      }
    }
  })

  it('loses nothing where it happens again and again', async (t) => {
    const { store, pinned, files } = await start(t)
    await signIn(store, 'nobody', ['n1'])
    const { data } = await pinned()
    let { journal }: Pick<Files, 'journal'> = files()
    let history = createHistory(store)
    for (let round = 0; round < 5; round++) {
      // Not one page of the environment is ever flushed.
      const found = find({ data, journal })
      await history.check(found.store)
      history = createHistory(found.store, history)
      for (let step = 0; step < 4; step++) await history.step()
      journal = filesIn(found.path).journal
      await found.close()
    }
  })

  it('does not mind what a step that nobody was answered left behind', async (t) => {
    const { store, pinned, files } = await start(t)
    const history = createHistory(store)
    for (let step = 0; step < 10; step++) await history.step()
    const before = await pinned()
    for (let step = 0; step < 10; step++) await history.step()
    const answered = files().journal
    // Several pages, of which any may have arrived.
    await store.insert('large', { ...record('large', 'carol'), value: randomBytes(40_000) })
    await store.insert('small', record('small', 'carol'))
    const later = files().journal
    for (let round = 0; round < 20; round++) {
      const journal = Buffer.from(answered)
      for (let at = 0; at < later.length; at += 4096) {
        if (randomInt(2) === 0) later.copy(journal, at, at, at + 4096)
      }
      const found = find({ data: before.data, journal })
      await history.check(found.store)
      const [large, small] = [found.store.get('large'), found.store.get('small')]
      assert.ok(large !== undefined || small === undefined, 'in their order')
      // What comes now is not followed by what came then.
      await found.store.insert('other', { ...record('other', 'carol'), value: randomBytes(40_000) })
      const image = { data: before.data, journal: filesIn(found.path).journal }
      await found.close()
      const again = find(image)
      assert.equal(again.store.get('small') === undefined, small === undefined)
      assert.notEqual(again.store.get('other'), undefined)
      await again.close()
    }
  })

  it('waits for the environment where a removal is too large for the journal', async (t) => {
    const { store, flushed, files } = await start(t)
    const ids = Array.from({ length: 40 }, (_, at) => `id ${at}`)
    await signIn(store, 'alice', ids, 8_000)
    await flushed()
    await signOut(store, 'alice')
    const found = find({ data: files().data, journal: undefined })
    assert.deepEqual(await found.store.list('alice', { limit: 9 }), [])
    assert.equal(found.store.get('id 0'), undefined)
    await found.close()
  })

  it('keeps a journal that does not grow, and forgets nothing when it begins again in front', async (t) => {
    const { store, path, files } = await start(t)
    const size = statSync(join(path, 'coatcheck.journal')).size
    const gone: string[] = []
    for (let round = 0; round < 80; round++) {
      const user = `user ${round}`
      const ids = [1, 2, 3].map((at) => `${user} ${at}`)
      await signIn(store, user, ids, 4_000)
      await signOut(store, user)
      gone.push(...ids)
      if (round % 8 !== 0) continue
      // At any moment, with what was really flushed by then.
      const found = find(files())
      for (const id of gone) assert.equal(found.store.get(id), undefined)
      assert.notEqual(found.store.get(`owed/${gone.at(-1)}`), undefined)
      assertConsistent(found.database)
      await found.close()
    }
    assert.equal(statSync(join(path, 'coatcheck.journal')).size, size)
    assert.equal(size, 2 ** 20)
  })

  for (const options of [{ overlappingSync: false }, { noSync: true }]) {
    it(`does again what was answered where it is opened with ${JSON.stringify(options)} from then on`, async (t) => {
      const { store, flushed, files } = await start(t)
      await signIn(store, 'alice', ['a1'])
      const { data } = await flushed()
      await signOut(store, 'alice')
      const found = find({ data, journal: files().journal }, options)
      assert.equal(found.store.get('a1'), undefined)
      assert.notEqual(found.store.get('owed/a1'), undefined)
      await found.close()
    })
  }

  it('takes nothing from the journal of another environment', async (t) => {
    const { store, files } = await start(t)
    await signIn(store, 'alice', ['a1'])
    const other = await start(t)
    const found = find({ data: (await other.flushed()).data, journal: files().journal })
    assert.equal(await found.store.isEmpty(), true)
    await found.close()
  })

  it('does not begin without a journal that it cannot read', async () => {
    const path = mkdtempSync(join(tmpdir(), 'coatcheck-lmdb-'))
    mkdirSync(join(path, 'coatcheck.journal'))
    const database = open({ path })
    assert.throws(() => lmdbStore(database), {
      name: 'TypeError',
      message: /coatcheck\.journal cannot be used: let the process read and write/,
    })
    await database.close()
    rmSync(path, { recursive: true })
  })
})

/** A store, and its files when all is flushed, and at any moment. */
async function start(t: TestContext): Promise<{
  path: string
  store: TokenStore
  flushed(): Promise<Files>
  /** The same; the pages of that moment are not used again until the end. */
  pinned(): Promise<Files>
  files(): Files
}> {
  const { path, database, close } = openEnvironment()
  const store = lmdbStore(database)
  t.after(close)
  const files = (): Files => filesIn(path)
  const flushed = async (): Promise<Files> => {
    await store.claim(`all until here ${Math.random()}`, Date.now() + 1_000)
    await database.flushed
    return files()
  }
  return {
    path,
    store,
    flushed,
    async pinned() {
      const all = await flushed()
      database.resetReadTxn()
      database.useReadTransaction()
      return all
    },
    files,
  }
}

/**
 * Signs in, refreshes and signs out at random, several at a time, and knows what must be so since.
 * Ten steps fill less than half of the journal: what is overwritten later really is flushed, and a
 * disk on which it is not is none that a loss of power can leave.
 */
function createHistory(
  store: TokenStore,
  { live, gone }: { live: Map<string, Buffer>; gone: Set<string> } = {
    live: new Map(),
    gone: new Set(),
  },
): {
  live: Map<string, Buffer>
  gone: Set<string>
  step(): Promise<void>
  check(found: TokenStore): Promise<void>
} {
  const users = ['alice', 'bob']
  const userOf = (id: string): string => id.split(' ')[0] ?? ''

  async function enter(user: string): Promise<void> {
    const id = `${user} ${randomBytes(6).toString('hex')}`
    const value = randomBytes(randomInt(3_000))
    if (await store.insert(id, { ...record(id, user), value })) live.set(id, value)
  }

  async function refresh(id: string, before: Buffer): Promise<void> {
    const value = randomBytes(randomInt(3_000))
    if (await store.replace(id, before, { ...record(id, userOf(id)), value })) live.set(id, value)
  }

  return {
    live,
    gone,
    async step() {
      const user = users[randomInt(users.length)] ?? ''
      const kind = randomInt(10)
      if (kind < 5)
        await Promise.all([enter(user), enter(user), store.claim(`${user}`, Date.now() + 1)])
      else if (kind < 8) {
        await Promise.all([...live].slice(-3).map(([id, value]) => refresh(id, value)))
        // What a refresh wrote is on disk with whatever is waited for next.
        await enter(user)
      } else {
        for (const id of live.keys())
          if (userOf(id) === user) {
            live.delete(id)
            gone.add(id)
          }
        const removed = await signOut(store, user)
        for (const { id } of removed) assert.ok(gone.has(id))
        // Whoever comes now comes later than the mark.
        const at = Date.now()
        while (Date.now() <= at);
      }
    },
    async check(found) {
      for (const [id, value] of live) assert.deepEqual(found.get(id), value)
      for (const id of gone) {
        assert.equal(found.get(id), undefined)
        assert.notEqual(found.get(`owed/${id}`), undefined)
      }
      for (const user of users) {
        const listed = (await found.list(user, { limit: 1_000 })).map(({ id }) => id)
        const expected = [...live.keys()].filter((id) => userOf(id) === user)
        assert.deepEqual(listed, expected.sort())
      }
    },
  }
}

async function signIn(
  store: TokenStore,
  user: string,
  ids: string[],
  size?: number,
): Promise<void> {
  for (const id of ids) {
    const value = size === undefined ? bytesOf(id) : randomBytes(size)
    assert.equal(await store.insert(id, { ...record(id, user), value }), true)
  }
}

async function signOut(store: TokenStore, user: string): Promise<readonly StoredEntry[]> {
  const mark = {
    clock: 'here',
    establishedUntil: Date.now() - 1,
    keepUntil: Date.now() + 3_600_000,
  } as const
  const { removed } = await store.removeAll([{ index: user, mark }], {
    owe: (ended) => ended.map(toOwed),
    limit: 1_000,
    resumed: false,
    unfinished: { id: 'unfinished', record: record('unfinished', 'work') },
  })
  return removed
}

function toOwed({ id, value }: StoredEntry): Successor {
  return { id: `owed/${id}`, record: { ...record(id, 'work'), value } }
}

function bytesOf(id: string): Buffer {
  return Buffer.from(`value of ${id}`)
}

function record(id: string, index: string, at = Date.now()): StoredRecord {
  return {
    value: bytesOf(id),
    indexes: [index],
    expiresAt: Date.now() + 3_600_000,
    established: { provider: at, here: at },
  }
}
