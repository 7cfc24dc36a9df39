import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { Redis } from 'ioredis'
import type { Owe, StoredEntry, StoredRecord } from '#coatcheck/core/tokens/store'
import { redisStore } from '#coatcheck/stores/redis'
import { SUCCEED_ALL } from '#coatcheck/stores/redis/scripts'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import type { Closable } from '../servers/workplace.ts'

let server: RedisServer & Closable
let client: Redis

before(async () => {
  server = await startRedis()
  client = new Redis(server.url)
})
after(async () => {
  client.disconnect()
  await server.close()
})

it('removes several records in one step of one server, and owes for them together', async () => {
  const { store, ids } = await withRecords('user-1')
  const asked: number[] = []
  const { removed } = await removeUser(store, 'user-1', (some) => {
    asked.push(some.length)
    return owing(some)
  })
  assert.deepEqual(asked, [ids.length])
  assert.deepEqual(idsOf(removed), ids)
  assert.deepEqual(await store.list('owed user-1', { limit: 9 }), [
    { id: `w.user-1/${ids[0]}`, value: Buffer.from('first first first') },
  ])
  await client.flushall()
})

it('removes all of them, and owes for what each held, where one changes in that moment', async () => {
  const { store, ids } = await withRecords('user-2')
  const [, changing = ''] = ids
  const call = client.callBuffer.bind(client)
  client.callBuffer = async (name: string, args: never) => {
    if (Array.from(args).includes(SUCCEED_ALL.sha as never)) {
      client.callBuffer = call
      const next = recordOf('user-2', 'second')
      assert.equal(await store.replace(changing, Buffer.from('first'), next), true)
    }
    return call(name, args)
  }
  const { removed, more } = await removeUser(store, 'user-2', owing)
  assert.equal(more, false)
  assert.deepEqual(idsOf(removed), [...ids].sort())
  assert.equal(String(removed.find(({ id }) => id === changing)?.value), 'second')
  assert.deepEqual(
    (await store.list('owed user-2', { limit: 9 })).map(({ value }) => String(value)).sort(),
    ['first', 'first', 'second'],
  )
  for (const id of ids) assert.equal(await store.get(id), undefined)
})

type Store = ReturnType<typeof redisStore>

function recordOf(index: string, value: string): StoredRecord {
  const now = Date.now()
  return {
    value: Buffer.from(value),
    expiresAt: now + 3_600_000,
    // Later than the mark: so that a refresh of it is not refused.
    established: { provider: now + 60_000, here: now },
    indexes: [index],
  }
}

async function withRecords(index: string): Promise<{ store: Store; ids: string[] }> {
  const store = redisStore(client)
  const ids = ['a', 'b', 'c'].map((name) => `${index}-${name}`)
  for (const id of ids) assert.equal(await store.insert(id, recordOf(index, 'first')), true)
  return { store, ids }
}

/** What is owed for all together is named after the first. */
function owing(removed: readonly StoredEntry[]): ReturnType<Owe> {
  const [first] = removed
  const index = `owed ${first?.id.slice(0, 6)}`
  const value = removed.map((one) => String(one.value)).join(' ')
  return [{ id: `w.${first?.id.slice(0, 6)}/${first?.id}`, record: { ...recordOf(index, value) } }]
}

function removeUser(store: Store, index: string, owe: Owe): ReturnType<Store['removeAll']> {
  const mark = { clock: 'here', establishedUntil: 0, keepUntil: Date.now() + 60_000 } as const
  const unfinished = { id: `w.${index}`, record: recordOf('unfinished', 'unfinished') }
  return store.removeAll([{ index, mark }], { owe, limit: 64, unfinished, resumed: false })
}

function idsOf(entries: readonly StoredEntry[]): string[] {
  return entries.map(({ id }) => id).sort()
}
