import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createClient } from 'redis'
import type { Mark, Removal, StoredRecord, TokenStore } from '#coatcheck'
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
      for (const id of ['a', 'b', 'c']) {
        assert.equal(await store.insert(id, recordAt(at, ['user', `of ${id}`])), true)
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
      await store.removeAll([{ index: 'user', mark: markAt(at) }], removal())
      const left = (await keysOf(server)).filter((key) => key.startsWith('own:'))
      assert.deepEqual(left.sort(), ['own:c:claim', 'own:f', 'own:m:{user}'])
    })
  })
})

describe('redisStore, when somebody died or wrote over it', () => {
  let server: RedisServer & Closable
  let opened: Opened
  before(async () => {
    server = await startRedis()
    opened = await of(clientsOfOne, 'node-redis')(server.url)
  })
  after(async () => {
    opened.close()
    await server.close()
  })

  it('is empty until it keeps a record, and when that is gone', async () => {
    const store = redisStore(opened.client, { prefix: 'empty:' })
    assert.equal(await store.isEmpty(), true)
    await store.insert('one', recordAt(Date.now(), ['user']))
    assert.equal(await store.isEmpty(), false)
    await store.remove('one')
    assert.equal(await store.isEmpty(), true)
  })

  it('takes an entry out of an index whose record is gone for long, and no other', async () => {
    let at = Date.now()
    const store = redisStore(opened.client, { prefix: 'dangling:', now: () => at })
    const list = (): Promise<unknown[]> => store.list('user', { limit: 10 })
    for (const id of ['gone', 'here']) await store.insert(id, recordAt(at, ['user']))
    await server.ask('DEL', 'dangling:r:{gone}')
    const entries = () => server.ask('ZRANGE', 'dangling:i:{user}', '0', '-1')
    assert.equal((await list()).length, 1)
    at += 600_000
    assert.equal((await list()).length, 1)
    assert.deepEqual(await entries(), ['gone', 'here'])
    at += 1
    assert.equal((await list()).length, 1)
    assert.deepEqual(await entries(), ['here'])
  })

  for (const [what, value] of [
    ['truncated', '\x4c123'],
    ['of something else', 'hello'],
    ['empty', ''],
  ] as const) {
    it(`hands on a record that is ${what} as it is, for the core to refuse, and removes it`, async () => {
      const store = redisStore(opened.client, { prefix: 'damaged:' })
      await store.insert('one', recordAt(Date.now(), ['user']))
      await server.ask('SET', 'damaged:r:{one}', value)
      assert.equal(Buffer.from((await store.get('one')) ?? []).toString(), value)
      assert.equal((await store.list('user', { limit: 10 })).length, 1)
      const step = await store.removeAll([{ index: 'user', mark: markAt(Date.now()) }], removal())
      assert.equal(step.removed.length, 1)
      assert.equal(await store.get('one'), undefined)
    })
  }
})

describe('redisStore on a Redis that cannot keep the promise', () => {
  let servers: Replicated & Closable
  before(async () => {
    servers = await startReplicated()
  })
  after(() => servers.close())

  itRefuses('a replica', /is a replica: connect to the primary/, async () => [servers.nodes[1]])
  itRefuses('another format', /records of format 9, and this version reads format 1/, async () => {
    await servers.nodes[0]?.ask('SET', 'own:f', '9')
    return [servers.nodes[0], 'DEL', 'own:f']
  })
  itRefuses('what others keep there', /Something else uses this `prefix`/, async () => {
    await servers.nodes[0]?.ask('DEL', 'own:f')
    await servers.nodes[0]?.ask('LPUSH', 'own:f', '9')
    return [servers.nodes[0], 'DEL', 'own:f']
  })
  itRefuses('memory that forgets marks', /set maxmemory-policy noeviction/, async () => {
    await servers.nodes[0]?.ask('CONFIG', 'SET', 'maxmemory', '100mb')
    await servers.nodes[0]?.ask('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru')
    return [servers.nodes[0], 'CONFIG', 'SET', 'maxmemory', '0']
  })

  /** `prepare` answers the server, and the command that makes it usable again. */
  function itRefuses(
    what: string,
    message: RegExp,
    prepare: () => Promise<[server: RedisServer | undefined, ...mend: string[]]>,
  ): void {
    it(`says what to change where it finds ${what}, and works once it is changed`, async () => {
      const [server, command, ...args] = await prepare()
      assert.ok(server)
      await withStore(of(clientsOfOne, 'ioredis')(server.url), async (store) => {
        for (const call of [() => store.get('id'), () => store.claim('claim', Date.now())]) {
          await assert.rejects(async () => call(), { code: 'store_unusable', message })
        }
        if (command === undefined) return
        await server.ask(command, ...args)
        assert.equal(await store.get('id'), undefined)
      })
    })
  }

  for (const [what, settings, message] of [
    ['becomes a replica', ['replicaof', '127.0.0.1 1'], /is a replica: connect to the primary/],
    ['has lost the replicas it must have', ['min-replicas-to-write', '1'], /fewer replicas than/],
    ['has grown full', ['maxmemory', '1mb'], /is full: raise its `maxmemory`/],
  ] as const) {
    it(`serves nobody from a server that ${what} under a running process, and says so`, async () => {
      const server = await startRedis()
      try {
        await withStore(of(clientsOfOne, 'node-redis')(server.url), async (store) => {
          await store.insert('one', recordAt(Date.now(), ['user']))
          const [name, value] = settings
          if (name === 'replicaof') await server.ask('REPLICAOF', ...(value.split(' ') as [string]))
          else await server.ask('CONFIG', 'SET', name, value)
          const told = { code: 'store_unusable', message }
          await assert.rejects(async () => store.insert('two', recordAt(Date.now(), [])), told)
          // What is full can still be read, and is what everybody agrees on.
          if (name === 'maxmemory') assert.ok(await store.get('one'))
          else await assert.rejects(async () => store.get('one'), told)
        })
      } finally {
        await server.close()
      }
    })
  }

  it('says what to change where nobody connected the client', async () => {
    const store = redisStore(createClient())
    const told = { code: 'store_unusable', message: /`await client\.connect\(\)` first/ }
    await assert.rejects(async () => store.get('one'), told)
    await store.close()
  })

  it('blames nobody where one connection of an open client was closed: it may come back', async () => {
    const failing = {
      isOpen: true,
      on: () => undefined,
      off: () => undefined,
      sendCommand: () => Promise.reject(new Error('The client is closed')),
    }
    const store = redisStore(failing)
    await assert.rejects(async () => store.get('id'), {
      name: 'Error',
      message: 'The client is closed',
    })
    await store.close()
  })

  it('says what to change where the password is another', async () => {
    const server = await startRedis()
    try {
      await server.ask('CONFIG', 'SET', 'requirepass', 'secret')
      await withStore(of(clientsOfOne, 'ioredis')(server.url), async (store) => {
        const told = { code: 'store_unusable', message: /wants another password/ }
        await assert.rejects(async () => store.get('one'), told)
      })
    } finally {
      await server.close()
    }
  })

  it('says what to change on an old server', async () => {
    const old = {
      isOpen: true,
      on: () => undefined,
      off: () => undefined,
      sendCommand: async ([name]: readonly unknown[]) =>
        name === 'INFO' ? Buffer.from('# Server\r\nredis_version:5.0.7\r\n') : null,
    }
    const store = redisStore(old)
    await assert.rejects(async () => store.get('id'), {
      code: 'store_unusable',
      message: 'This Redis is 5.0.7: update it to 6.2 or later.',
    })
  })

  it('says what to write where it is given something else than a client', () => {
    assert.throws(() => redisStore({} as never), { name: 'TypeError', message: /createClient/ })
    assert.throws(() => redisStore(new Map() as never), { name: 'TypeError' })
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

  it('rejects a removal that no replica confirms, and serves nobody all the same', async () => {
    const [, replica] = servers.nodes
    const opened = of(clientsOfSentinels, 'ioredis with Sentinels')(servers)
    await withStore(
      opened,
      async (store) => {
        await store.insert('one', recordAt(Date.now(), []))
        replica?.pause()
        await assert.rejects(store.remove('one'), {
          code: 'store_unavailable',
          message: /Not 1 Redis replicas .* lower `confirmReplicas`/,
        })
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

  it('says what to change where the client is one for a single server', async () => {
    const { url = '' } = cluster.nodes[0] ?? {}
    await withStore(of(clientsOfOne, 'ioredis')(url), async (store) => {
      const told = { code: 'store_unusable', message: /is a node of a Cluster.*createCluster/ }
      const claims = Array.from({ length: 20 }, (_, at) => store.claim(`${at}`, Date.now() + 1000))
      await assert.rejects(Promise.all(claims), told)
    })
  })

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

function recordAt(at: number, indexes: readonly string[]): StoredRecord {
  const established = { provider: at, here: at }
  return { value: Buffer.of(1), expiresAt: at + 3_600_000, established, indexes }
}

function markAt(at: number): Mark {
  return { clock: 'here', establishedUntil: at, keepUntil: at + 60_000 }
}

function removal(): Removal {
  const unfinished = { id: 'unfinished', record: recordAt(Date.now(), []) }
  return { owe: () => [], limit: 10, resumed: false, unfinished }
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
