import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { StoredRecord } from '#coatcheck'
import { redisStore } from '#coatcheck/stores/redis'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import { startReplicated } from '../servers/replicated.ts'
import { until } from '../servers/until.ts'
import { clientsOfOne, clientsOfSentinels, type Opened } from './redis-clients.ts'

for (const [name, open] of Object.entries(clientsOfSentinels)) {
  it(`does a sign-out again that a failover lost, as soon as ${name} has reconnected [INV-14]`, async (t) => {
    const servers = await startReplicated()
    t.after(() => servers.close())
    const { client, close } = await open(servers)
    t.after(close)
    const store = redisStore(client)
    t.after(() => store.close())
    const at = Date.now()
    await store.insert('one', recordAt(at))
    await servers.untilSettled()

    const primary = await servers.primary()
    const replica = servers.nodes.find((node) => node !== primary)
    assert.ok(replica)
    await keepFromReplicas(primary)
    const mark = { clock: 'here', establishedUntil: at, keepUntil: at + 3_600_000 } as const
    const unfinished = { id: 'unfinished', record: recordAt(at) }
    const removal = { owe: () => [], limit: 10, resumed: false, unfinished }
    const { removed } = await store.removeAll([{ index: 'user', mark }], removal)
    assert.equal(removed.length, 1)
    await primary.kill()
    // The new primary will have it: nobody told the replica.
    assert.equal(await replica.ask('EXISTS', 'coatcheck:r:{one}'), 1)
    assert.equal(await replica.ask('EXISTS', 'coatcheck:m:{user}'), 0)

    await servers.newPrimary(primary)
    await until('it is gone again', async () => (await store.get('one')) === undefined)
    assert.equal(await store.insert('two', recordAt(at)), false)
  })
}

for (const name of ['node-redis', "node-redis' pool", 'ioredis']) {
  it(`does a sign-out again where the server comes back with what it had before, through ${name}`, async (t) => {
    const server = await startRedis()
    t.after(() => server.close())
    const { client, close } = await (clientsOfOne[name] as (url: string) => Promise<Opened>)(
      server.url,
    )
    t.after(close)
    const store = redisStore(client)
    t.after(() => store.close())
    const at = Date.now()
    await store.insert('one', recordAt(at))
    await server.ask('SAVE')
    assert.ok(await store.remove('one'))
    await server.kill()
    await server.restart()
    // As its disk has it, whoever looks first.
    assert.equal(await server.ask('EXISTS', 'coatcheck:f'), 1)
    await until('it is gone again', async () => {
      return (await server.ask('EXISTS', 'coatcheck:r:{one}')) === 0
    })
  })
}

it('lives through the loss of its connection where the application does not listen for errors', async (t) => {
  const server = await startRedis()
  t.after(() => server.close())
  const client = createClient({ url: server.url, disableOfflineQueue: true })
  t.after(() => client.destroy())
  const store = redisStore(await client.connect())
  t.after(() => store.close())
  assert.equal(await store.get('one'), undefined)
  await server.kill()
  await until('it is noticed', async () => {
    const noticed = async (): Promise<boolean> => (await store.get('one')) !== undefined
    return noticed().catch(() => true)
  })
  await server.restart()
  await until('it is back', () =>
    Promise.resolve(store.get('one')).then(
      () => true,
      () => false,
    ),
  )
})

/** Whatever is written there from now on dies with it. */
async function keepFromReplicas({ port }: RedisServer): Promise<void> {
  const client = new Redis(port)
  // Whoever is connected stays so; the replica, once disconnected, is not let in again.
  await client.config('SET', 'requirepass', 'locked')
  await client.call('CLIENT', 'KILL', 'TYPE', 'replica')
  client.disconnect()
}

function recordAt(at: number): StoredRecord {
  const established = { provider: at, here: at }
  return { value: Buffer.of(1), expiresAt: at + 3_600_000, established, indexes: ['user'] }
}
