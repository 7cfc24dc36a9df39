import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, it } from 'node:test'
import { Redis } from 'ioredis'
import type { Owe, StoredEntry, StoredRecord } from '#coatcheck/core/tokens/store'
import { redisStore } from '#coatcheck/stores/redis'
import { TAKE } from '#coatcheck/stores/redis/scripts'
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
    if (Array.from(args).includes(TAKE.sha as never)) {
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

it('takes what it removed out of every index and of the ends in that step, and enters what it owes', async () => {
  await client.flushall()
  const { store, ids } = await withRecords('user-7')
  let during: readonly string[] = []
  const call = client.callBuffer.bind(client)
  client.callBuffer = async (name: string, args: never) => {
    const answer = await call(name, args)
    if (Array.from(args).includes(TAKE.sha as never)) during = await entries()
    return answer
  }
  await removeUser(store, 'user-7', owing)
  client.callBuffer = call
  const owed = `w.user-7/${ids[0]}`
  assert.deepEqual(during, [`ends ${owed}`, `coatcheck:i:{owed user-7} ${owed}`].sort())
  assert.deepEqual(await entries(), during)
  for (const key of await client.keys('coatcheck:[ei]:*')) assert.ok((await client.pttl(key)) > 0)
  await client.flushall()
})

it('says what it removed where the answer was lost and the script came again [INV-14]', async () => {
  for (const names of [['a'], ['a', 'b', 'c']]) {
    const user = `user-3 of ${names.length}`
    const { store, ids } = await withRecords(user, names)
    runTwice(TAKE)
    const { removed, more } = await removeUser(store, user, owing)
    assert.deepEqual([idsOf(removed), more], [ids, false])
    assert.equal((await store.list('owed user-3', { limit: 9 })).length, 1)
    await client.flushall()
  }
})

it('says that of one record too', async () => {
  const { store, ids } = await withRecords('user-4', ['a'])
  const [id = ''] = ids
  runTwice(TAKE)
  assert.equal(String(await store.remove(id, owing)), 'first')
  assert.equal(await store.remove(id, owing), undefined)
  await client.flushall()
})

it('gives it to one caller where another removed it between the two runs', async () => {
  const { store, ids } = await withRecords('user-5')
  const other = redisStore(client)
  let first: StoredEntry[] = []
  const call = client.callBuffer.bind(client)
  client.callBuffer = async (name: string, args: never) => {
    if (!Array.from(args).includes(TAKE.sha as never)) return call(name, args)
    client.callBuffer = call
    first = [...(await removeUser(other, 'user-5', owingAnew)).removed]
    return call(name, args)
  }
  const { removed } = await removeUser(store, 'user-5', owingAnew)
  assert.deepEqual([idsOf(first), idsOf(removed)], [ids, []])
  await client.flushall()
})

it('says what it removed where another has changed and what it holds cannot be read', async () => {
  const { store, ids } = await withRecords('user-6')
  const [changing = '', ...others] = ids
  const call = client.callBuffer.bind(client)
  client.callBuffer = async (name: string, args: never) => {
    if (Array.from(args).includes(TAKE.sha as never)) {
      client.callBuffer = call
      await store.replace(changing, Buffer.from('first'), recordOf('user-6', 'second'))
    }
    return call(name, args)
  }
  let isBehind = false
  const owe: Owe = (some) => {
    isBehind = some.some(({ value }) => String(value) === 'second')
    if (isBehind) throw new Error('Sealed by a key that came just now.')
    return owing(some)
  }
  const step = await removeUser(store, 'user-6', owe)
  assert.equal(isBehind, true)
  assert.deepEqual([idsOf(step.removed), step.more], [[...others].sort(), true])
  // As with any step that left some: the next one says why it cannot go on.
  await assert.rejects(removeUser(store, 'user-6', owe), /a key that came just now/)
  assert.deepEqual(idsOf((await removeUser(store, 'user-6', owing)).removed), [changing])
  await client.flushall()
})

/** Everything that is in an index or among the ends. */
async function entries(): Promise<string[]> {
  const keys = await client.keys('coatcheck:[ei]:*')
  const found = await Promise.all(
    keys.map(async (key) =>
      (await client.zrange(key, '0', '-1')).map(
        (id) => `${key.replace(/^coatcheck:e:.*/, 'ends')} ${id}`,
      ),
    ),
  )
  return found.flat().sort()
}

type Store = ReturnType<typeof redisStore>

/** The next time that this script is sent, its answer is lost, and it is sent again. */
function runTwice({ sha }: typeof TAKE): void {
  const call = client.callBuffer.bind(client)
  client.callBuffer = async (name: string, args: never) => {
    if (Array.from(args).includes(sha as never)) {
      client.callBuffer = call
      await call(name, args)
    }
    return call(name, args)
  }
}

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

async function withRecords(
  index: string,
  names: readonly string[] = ['a', 'b', 'c'],
): Promise<{ store: Store; ids: string[] }> {
  const store = redisStore(client)
  const ids = names.map((name) => `${index}-${name}`)
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

/** As what is owed is sealed: never twice in the same bytes. */
function owingAnew(removed: readonly StoredEntry[]): ReturnType<Owe> {
  return owing(removed).map(({ id, record }) => ({
    id,
    record: { ...record, value: randomBytes(16) },
  }))
}

function removeUser(store: Store, index: string, owe: Owe): ReturnType<Store['removeAll']> {
  const mark = { clock: 'here', establishedUntil: 0, keepUntil: Date.now() + 60_000 } as const
  const unfinished = { id: `w.${index}`, record: recordOf('unfinished', 'unfinished') }
  return store.removeAll([{ index, mark }], { owe, limit: 64, unfinished, resumed: false })
}

function idsOf(entries: readonly StoredEntry[]): string[] {
  return entries.map(({ id }) => id).sort()
}
