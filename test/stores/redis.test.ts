import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TokenStore } from '#coatcheck'
import { redisStore } from '#coatcheck/stores/redis'
import { testTokenStore } from '#coatcheck/testing/token-store'
import { type Cluster, startCluster } from '../servers/cluster.ts'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import { type Replicated, startReplicated } from '../servers/replicated.ts'
import type { Closable } from '../servers/workplace.ts'
import { clientsOfCluster, clientsOfOne, clientsOfSentinels, type Opened } from './redis-clients.ts'

describe('redisStore on one Redis', () => {
  let server: RedisServer & Closable
  before(async () => {
    server = await startRedis()
  })
  after(() => server.close())
  for (const name of ['node-redis', "node-redis' pool", 'ioredis']) {
    itKeepsTheContract(name, () => of(clientsOfOne, name)(server.url))
  }

  it('leaves no key without an end, and no key at all of what was removed', async () => {
    await withStore(of(clientsOfOne, 'node-redis')(server.url), async (store) => {
      const at = Date.now()
      const established = { provider: at, here: at }
      const mark = { clock: 'here', establishedUntil: at, keepUntil: at + 60_000 } as const
      for (const id of ['a', 'b', 'c']) {
        const value = Buffer.from(id)
        const record = { value, expiresAt: at + 60_000, established, indexes: ['user', `of ${id}`] }
        assert.equal(await store.insert(id, record), true)
      }
      await store.claim('claim', at + 60_000)
      const written = (await keysOf(server)).filter((key) => /^own:[rimcf]/.test(key))
      assert.deepEqual(written.sort(), [
        ...['own:c:claim', 'own:f'],
        ...['own:i:{of a}', 'own:i:{of b}', 'own:i:{of c}', 'own:i:{user}'],
        ...['own:r:{a}', 'own:r:{b}', 'own:r:{c}'],
      ])
      for (const key of await keysOf(server)) {
        assert.ok(Number(await server.ask('PTTL', key)) > 0, `${key} has no end`)
      }
      await store.remove('a')
      await store.removeAll([{ index: 'user', mark }], {
        owe: () => [],
        limit: 10,
        resumed: false,
        unfinished: {
          id: 'w',
          record: { value: Buffer.of(1), expiresAt: at, established, indexes: [] },
        },
      })
      const left = (await keysOf(server)).filter((key) => key.startsWith('own:'))
      assert.deepEqual(left.sort(), ['own:c:claim', 'own:f', 'own:m:{user}'])
    })
  })
})

describe('redisStore behind Sentinels', () => {
  let servers: Replicated & Closable
  before(async () => {
    servers = await startReplicated()
  })
  after(() => servers.close())
  for (const name of Object.keys(clientsOfSentinels)) {
    itKeepsTheContract(name, () => of(clientsOfSentinels, name)(servers), { confirmReplicas: 1 })
  }

  it('rejects a removal that no replica confirms, and does it when asked again', async () => {
    const [, replica] = servers.nodes
    const opened = of(clientsOfSentinels, 'ioredis with Sentinels')(servers)
    await withStore(
      opened,
      async (store) => {
        const at = Date.now()
        const established = { provider: at, here: at }
        const record = { value: Buffer.of(1), expiresAt: at + 60_000, established, indexes: [] }
        await store.insert('one', record)
        replica?.pause()
        await assert.rejects(store.remove('one'), /fewer than 1 Redis replicas/)
        replica?.resume()
        assert.equal(await store.get('one'), undefined)
      },
      { confirmReplicas: 1 },
    )
  })
})

describe('redisStore on a Cluster', () => {
  let cluster: Cluster & Closable
  before(async () => {
    cluster = await startCluster()
  })
  after(() => cluster.close())
  for (const name of Object.keys(clientsOfCluster)) {
    itKeepsTheContract(name, () => of(clientsOfCluster, name)(cluster))
  }
})

/** The kit, through one client. */
function itKeepsTheContract(
  name: string,
  open: () => Promise<Opened>,
  options: { readonly confirmReplicas?: number } = {},
): void {
  describe(`through ${name}`, () => {
    let opened: Opened
    before(async () => {
      opened = await open()
    })
    after(() => opened.close())
    testTokenStore(it, ({ now }) => redisStore(opened.client, { ...options, now }))
  })
}

async function withStore(
  opening: Promise<Opened>,
  run: (store: TokenStore) => Promise<void>,
  options: { readonly confirmReplicas?: number } = {},
): Promise<void> {
  const { client, close } = await opening
  const store = redisStore(client, { prefix: 'own:', ...options })
  try {
    await run(store)
  } finally {
    await store.close()
    close()
  }
}

async function keysOf(server: RedisServer): Promise<string[]> {
  return (await server.ask('KEYS', '*')) as string[]
}

function of<Value>(all: Record<string, Value>, name: string): Value {
  const found = all[name]
  if (found === undefined) throw new Error(`There is no ${name}.`)
  return found
}
