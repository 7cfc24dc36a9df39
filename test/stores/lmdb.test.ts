import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { open } from 'lmdb'
import type { StoredRecord } from '#coatcheck/core/tokens/store'
import { type LmdbDatabase, lmdbStore } from '#coatcheck/stores/lmdb'
import { indexKey } from '#coatcheck/stores/lmdb/keys'
import { openTable } from '#coatcheck/stores/lmdb/table'
import { testTokenStore } from '#coatcheck/testing/token-store'
import { assertConsistent } from './consistency.ts'
import { openEnvironment } from './environment.ts'

const run = promisify(execFile)

describe('lmdbStore', () => {
  const environment = openEnvironment()
  after(() => environment.close())
  testTokenStore(it, (options) => lmdbStore(environment.database, options))

  it('has left a consistent environment after all of that', () => {
    assertConsistent(environment.database)
  })
})

describe('lmdbStore on an environment of its own', () => {
  it('takes what open() of lmdb returns, without depending on lmdb', async () => {
    await withEnvironment(async ({ database }) => {
      const fits: LmdbDatabase = database
      const store = lmdbStore(fits)
      assert.ok(Math.abs((await store.now()) - Date.now()) < 60_000)
    })
  })

  it('answers get without a promise: the hot path waits for nothing', async () => {
    await withEnvironment(async ({ database }) => {
      const store = lmdbStore(database)
      await store.insert('one', record(Buffer.from('1')))
      assert.ok(store.get('one') instanceof Uint8Array)
      assert.equal(store.get('two'), undefined)
    })
  })

  it('reads nothing again of what its caller has read and what still stands', async () => {
    await withEnvironment(async ({ database }) => {
      const store = lmdbStore(database)
      await store.insert('one', record(randomBytes(3_000)))
      const known = await store.get('one')
      assert.ok(known !== undefined)
      assert.equal(await store.get('one', known), known)
    })
  })

  it('leaves nothing behind of what was removed or has ended', async () => {
    await withEnvironment(async ({ database }) => {
      let at = Date.now()
      const store = lmdbStore(database, { now: () => at })
      const indexes = ['sid', 'subject', 'all']
      for (const size of [0, 100, 3_000, 4_300, 50_000]) {
        await store.insert(`removed ${size}`, record(randomBytes(size), indexes))
        await store.insert(`expired ${size}`, record(randomBytes(size), indexes))
        await store.remove(`removed ${size}`)
      }
      await store.claim('claim', at + 1_000)
      const mark = { clock: 'here', establishedUntil: at, keepUntil: at + 1_000 } as const
      await store.removeAll([{ index: 'other', mark }], {
        owe: () => [],
        limit: 10,
        resumed: false,
        unfinished: { id: 'unfinished', record: record(randomBytes(10)) },
      })
      assert.deepEqual(assertConsistent(database)['r'], 5)
      at += 24 * 3_600_000
      assert.equal((await store.sweep(() => [], 100)).length, 5)
      // The number the next record gets, and the format.
      assert.deepEqual(assertConsistent(database), { '\0': 1, n: 1, o: 1 })
    })
  })

  it('refuses a name that is too long, clearly and before it writes anything', async () => {
    await withEnvironment(async ({ database }) => {
      const store = lmdbStore(database)
      const long = 'x'.repeat(256)
      const refusal = { name: 'RangeError', message: /at most 255 bytes, this one has 256/ }
      const rejected = [
        () => store.insert(long, record(randomBytes(10))),
        () => store.insert('id', record(randomBytes(10), ['fine', long])),
        () => store.replace(long, randomBytes(1), record(randomBytes(10))),
        () => store.remove(long),
        () => store.list(long, { limit: 1 }),
        () => store.claim(long, Date.now() + 1_000),
      ]
      for (const attempt of rejected) await assert.rejects(attempt, refusal)
      assert.deepEqual(assertConsistent(database), { '\0': 1, o: 1 })
      const longest = 'x'.repeat(255)
      assert.equal(await store.insert(longest, record(randomBytes(10), [longest])), true)
      assert.equal((await store.list(longest, { limit: 1 }))[0]?.id, longest)
    })
  })

  it('removes nothing where what is owed has a name that is too long', async () => {
    await withEnvironment(async ({ database }) => {
      const store = lmdbStore(database)
      await store.insert('one', record(randomBytes(10)))
      const owed = { id: 'x'.repeat(256), record: record(randomBytes(10)) }
      await assert.rejects(
        store.remove('one', () => [owed]),
        RangeError,
      )
      assert.equal(assertConsistent(database)['r'], 1)
    })
  })

  it('passes over an index entry whose record is gone', async () => {
    await withEnvironment(async ({ database }) => {
      const store = lmdbStore(database)
      await store.insert('b', record(Buffer.from('here'), ['index']))
      const { table } = openTable(database)
      await table.put(indexKey('index', 'a'), new Uint8Array(0))
      assert.deepEqual(
        (await store.list('index', { limit: 1 })).map((entry) => entry.id),
        ['b'],
      )
      const [at, keepUntil] = [Date.now(), Date.now() + 1_000]
      const mark = { clock: 'here', establishedUntil: at, keepUntil } as const
      const step = await store.removeAll([{ index: 'index', mark }], {
        owe: () => [],
        limit: 1,
        resumed: false,
        unfinished: { id: 'unfinished', record: record(randomBytes(10)) },
      })
      assert.deepEqual(
        step.removed.map((entry) => entry.id),
        ['b'],
      )
      assert.equal(step.more, false)
    })
  })

  it('refuses an environment that was written in another format, and says so', async () => {
    await withEnvironment(async ({ database }) => {
      lmdbStore(database)
      const { table } = openTable(database)
      await table.put(Buffer.from('\0format'), Uint8Array.of(9))
      assert.throws(() => lmdbStore(database), {
        name: 'TypeError',
        message: /holds coatcheck records of format 9, and this version reads format 4/,
      })
    })
  })

  it('refuses an environment that it may not write, and says so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'coatcheck-test-'))
    await open({ path: folder }).close()
    const database = open({ path: folder, readOnly: true })
    try {
      assert.throws(() => lmdbStore(database), {
        name: 'TypeError',
        message: /opened for reading only: leave out `readOnly`/,
      })
    } finally {
      await database.close()
      await rm(folder, { recursive: true })
    }
  })

  it('says what to write where it is given something else than an environment', () => {
    for (const wrong of [undefined, {}, './data']) {
      assert.throws(() => lmdbStore(wrong as never), {
        name: 'TypeError',
        message: /lmdbStore\(open\(\{ path: '\.\/data', \.\.\.lmdbOptions \}\)\)/,
      })
    }
  })

  it('rejects where the disk is full, loses nothing, and goes on where there is room', async () => {
    await withEnvironment(async ({ path }) => {
      const script = fileURLToPath(new URL('full-disk.ts', import.meta.url))
      const command = 'ulimit -f 4000; trap "" XFSZ; exec "$0" "$1" "$2"'
      const { stdout } = await run('sh', ['-c', command, process.execPath, script, `${path}/full`])
      assert.deepEqual(JSON.parse(stdout), {
        refused: 'Error: LMDB could not write to disk.',
        lost: [],
        removed: 20_000,
        room: true,
      })
    })
  })

  it('shares an environment with tables of the application', async () => {
    await withEnvironment(async ({ database }) => {
      const store = lmdbStore(database)
      await database.put('mine', { any: 'value' })
      await store.insert('mine', record(Buffer.from('one')))
      assert.deepEqual(database.get('mine'), { any: 'value' })
      await store.remove('mine')
      assert.deepEqual(database.get('mine'), { any: 'value' })
    })
  })

  for (const size of [3_400, 3_800, 4_300, 6_000]) {
    it(`fills pages with 1.25 times the bytes of sessions of ${size} bytes with three indexes`, async () => {
      await withEnvironment(async ({ database }) => {
        const records = await insertMany(lmdbStore(database), 2_000, size)
        const times = bytesIn(database) / records.size / size
        assert.ok(times <= 1.25, `${times} times`)
      })
    })
  }

  it('takes no more room for sessions that are renewed again and again', async () => {
    await withEnvironment(async ({ database }) => {
      const store = lmdbStore(database)
      const records = await insertMany(store, 1_000, 3_500)
      const before = bytesIn(database)
      for (let round = 0; round < 3; round++) {
        await Promise.all(
          Array.from(records, async ([id, was]) => {
            // A new token is seldom of another length, and then by little.
            const value = randomBytes(3_490 + Math.floor(Math.random() * 10))
            assert.equal(await store.replace(id, was.value, { ...was, value }), true)
            records.set(id, { ...was, value })
          }),
        )
      }
      for (const [id, { value }] of records) assert.deepEqual(store.get(id), value)
      assert.ok(bytesIn(database) <= before * 1.02, `${bytesIn(database) / before} times`)
      assertConsistent(database)
    })
  })

  it('holds sessions that grow and shrink', async () => {
    await withEnvironment(async ({ database }) => {
      const store = lmdbStore(database)
      let before = record(randomBytes(10), ['index'])
      await store.insert('one', before)
      for (const size of [
        0, 1, 4_000, 3_600, 3_601, 2_000, 100_000, 99_800, 4_060, 4_100, 31, 64,
      ]) {
        const next = { ...before, value: randomBytes(size) }
        assert.equal(await store.replace('one', before.value, next), true)
        assert.deepEqual(store.get('one'), next.value)
        assertConsistent(database)
        before = next
      }
    })
  })
})

/** As sign-ins would. */
async function insertMany(
  store: ReturnType<typeof lmdbStore>,
  count: number,
  size: number,
): Promise<Map<string, StoredRecord>> {
  const records = new Map<string, StoredRecord>()
  for (let at = 0; at < count; at++) {
    const indexes = [1, 2, 3].map(() => randomBytes(16).toString('base64url'))
    const id = `s.${randomBytes(32).toString('base64url')}`
    records.set(id, record(randomBytes(size), indexes))
  }
  await Promise.all(Array.from(records, ([id, one]) => store.insert(id, one)))
  return records
}

/** Of pages in use. */
function bytesIn(database: LmdbDatabase): number {
  const stats = openTable(database).table.getStats() as Record<string, number>
  const { treeBranchPageCount = 0, treeLeafPageCount = 0, overflowPages = 0 } = stats
  assert.equal(stats['pageSize'], 4096)
  return (treeBranchPageCount + treeLeafPageCount + overflowPages) * 4096
}

async function withEnvironment(
  work: (environment: ReturnType<typeof openEnvironment>) => Promise<void>,
): Promise<void> {
  const environment = openEnvironment()
  try {
    await work(environment)
  } finally {
    await environment.close()
  }
}

function record(value: Uint8Array, indexes: string[] = []): StoredRecord {
  const at = Date.now()
  return { value, indexes, expiresAt: at + 3_600_000, established: { provider: at, here: at } }
}
