import assert from 'node:assert/strict'
import type { EventEmitter } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { Redis as Ioredis, Cluster as IoredisCluster } from 'ioredis'
import { createClient } from 'redis'
import { redisStore } from '#coatcheck/stores/redis'
import {
  connect,
  type RedisClient,
  type RedisConnection,
  type RedisScript,
  toScript,
} from '#coatcheck/stores/redis/connection'
import { createKeys } from '#coatcheck/stores/redis/keys'
import { type Cluster, startCluster } from '../servers/cluster.ts'
import type { RedisServer } from '../servers/redis.ts'
import { type Replicated, startReplicated } from '../servers/replicated.ts'
import { until } from '../servers/until.ts'
import type { Closable } from '../servers/workplace.ts'
import { clientsOfCluster, clientsOfOne, clientsOfSentinels, type Opened } from './redis-clients.ts'

describe('a connection to one Redis', () => {
  let servers: Replicated & Closable
  before(async () => {
    servers = await startReplicated()
  })
  after(() => servers.close())

  const clients = {
    ...mapped(clientsOfOne, (open) => () => open(first().url)),
    ...mapped(clientsOfSentinels, (open) => () => open(servers)),
  }
  const first = (): RedisServer => one(servers.nodes[0])
  const replica = (): RedisServer => one(servers.nodes[1])

  for (const [name, open] of Object.entries(clients)) {
    describe(`of ${name}`, () => {
      const opened = openedBefore(open)
      itTalks(opened, async () => first())
      itConfirms(opened, async () => replica())

      it('never reads from a replica', async () => {
        const { connection } = opened()
        await replica().ask('CONFIG', 'RESETSTAT')
        for (let count = 0; count < 10; count++) await connection.send('key', ['GET', 'key'])
        assert.doesNotMatch(`${await replica().ask('INFO', 'commandstats')}`, /cmdstat_get:/)
      })
    })
  }

  for (const [name, open] of Object.entries(clientsOfOne)) {
    it(`confirms nothing once ${name} had to connect anew`, async () => {
      const { connection, close } = await open(first().url)
      try {
        const writes = connection.follow()
        await writes.send('key', ['SET', 'key', 'value'])
        await first().ask('CLIENT', 'KILL', 'TYPE', 'normal')
        await until('it is connected again', () => works(connection))
        await assert.rejects(writes.confirm(1, 5000))
        const again = connection.follow()
        await again.send('key', ['SET', 'key', 'value'])
        await again.confirm(1, 5000)
      } finally {
        close()
      }
    })
  }

  it('asks the replicas once for many who want to know', async () => {
    const { connection, close } = await one(clientsOfOne['ioredis'])(first().url)
    try {
      const written = await Promise.all(
        Array.from({ length: 50 }, async (_, at) => {
          const writes = connection.follow()
          await writes.send(`key-${at}`, ['SET', `key-${at}`, 'value'])
          return writes
        }),
      )
      await first().ask('CONFIG', 'RESETSTAT')
      await Promise.all(written.map((writes) => writes.confirm(1, 5000)))
      assert.match(`${await first().ask('INFO', 'commandstats')}`, /cmdstat_wait:calls=1,/)
    } finally {
      close()
    }
  })

  it('tells that it is connected again', async () => {
    for (const open of [clientsOfOne['node-redis'], clientsOfOne['ioredis']]) {
      const { connection, close } = await one(open)(first().url)
      try {
        await connection.send('key', ['PING'])
        let heard = 0
        connection.onReconnected(() => {
          heard += 1
        })
        await first().ask('CLIENT', 'KILL', 'TYPE', 'normal')
        await until('it has told', async () => heard === 1)
        connection.close()
        await first().ask('CLIENT', 'KILL', 'TYPE', 'normal')
        await until('it is connected again', () => works(connection))
        assert.equal(heard, 1)
      } finally {
        close()
      }
    }
  })

  it('confirms nothing that was written before the primary started anew, with nothing', async () => {
    const opened = await Promise.all(Object.values(clients).map((open) => open()))
    try {
      const written = await Promise.all(
        opened.map(async ({ connection }) => {
          const writes = connection.follow()
          await writes.send('key', ['SET', 'key', 'value'])
          return writes
        }),
      )
      await first().kill()
      await first().restart()
      for (const [at, { connection }] of opened.entries()) {
        await until('it is connected again', () => works(connection))
        await assert.rejects(one(written[at]).confirm(1, 5000))
      }
    } finally {
      for (const { close } of opened) close()
    }
    await servers.untilSettled()
  })

  it('confirms nothing that was written before a failover', async () => {
    const opened = await Promise.all(Object.values(clientsOfSentinels).map((open) => open(servers)))
    try {
      const written = await Promise.all(
        opened.map(async ({ connection }) => {
          const writes = connection.follow()
          await writes.send('key', ['SET', 'key', 'value'])
          return writes
        }),
      )
      const dead = await servers.killPrimary()
      await servers.newPrimary(dead)
      await servers.bringBack(dead)
      for (const [at, { connection }] of opened.entries()) {
        await until('it found the new primary', () => works(connection))
        await assert.rejects(one(written[at]).confirm(1, 5000), /replaced/)
        const again = connection.follow()
        await again.send('key', ['SET', 'key', 'value'])
        await again.confirm(1, 5000)
      }
    } finally {
      for (const { close } of opened) close()
    }
  })
})

describe('a connection to a Cluster', () => {
  /** `{a}`, `{b}` and `{c}` live on three different nodes. */
  const keys = ['{a}key', '{b}key', '{c}key'] as const

  let servers: Cluster & Closable
  before(async () => {
    servers = await startCluster({ replicasEach: 1 })
    // Nodes name a replica to clients only once they have heard that it has something.
    for (const key of keys) await (await servers.primaryOf(key)).ask('SET', key, 'x')
    await until('clients hear of the replicas', async () => {
      const views = await Promise.all(servers.nodes.map((node) => node.ask('CLUSTER', 'SLOTS')))
      return (views as unknown[][][]).flat().every((slots) => slots.length > 3)
    })
  })
  after(() => servers.close())

  for (const [name, open] of Object.entries(clientsOfCluster)) {
    describe(`of ${name}`, () => {
      const opened = openedBefore(() => open(servers))
      itTalks(opened, (key) => servers.primaryOf(key))
      itConfirms(opened, (key) => replicaOf(servers, key))

      it('reaches the node that owns a key, by a command and by a script', async () => {
        const { connection } = opened()
        assert.equal(connection.kind, 'cluster')
        const owners = await Promise.all(keys.map((key) => servers.primaryOf(key)))
        assert.equal(new Set(owners).size, 3)
        for (const [at, key] of keys.entries()) {
          const owner = one(owners[at])
          await connection.send(key, ['SET', key, 'by command'])
          assert.equal(await owner.ask('GET', key), 'by command')
          await connection.run(setScript, [key, `${key}:too`], ['by script'])
          assert.equal(await owner.ask('GET', key), 'by script')
          const id = await owner.ask('CLUSTER', 'MYID')
          assert.deepEqual(await connection.send(key, ['CLUSTER', 'MYID']), Buffer.from(`${id}`))
          assert.match(await connection.info(key, 'server'), new RegExp(`tcp_port:${owner.port}`))
        }
      })

      it('never reads from a replica', async () => {
        const { connection } = opened()
        const replicas = await Promise.all(keys.map((key) => replicaOf(servers, key)))
        for (const replica of replicas) await replica.ask('CONFIG', 'RESETSTAT')
        for (const key of keys) {
          for (let count = 0; count < 10; count++) {
            await connection.send(key, ['GET', key])
            await connection.run(getScript, [key], [])
          }
        }
        for (const replica of replicas) {
          const commands = `${await replica.ask('INFO', 'commandstats')}`
          assert.doesNotMatch(commands, /cmdstat_(get|eval|evalsha):/)
        }
      })

      it('confirms what was written on several nodes at once', async () => {
        const writes = opened().connection.follow()
        await Promise.all(keys.map((key) => writes.send(key, ['SET', key, 'value'])))
        await writes.confirm(1, 5000)
        const silent = await replicaOf(servers, keys[1])
        silent.pause()
        try {
          await Promise.all(keys.map((key) => writes.send(key, ['SET', key, 'value'])))
          await assert.rejects(writes.confirm(1, 100), /Fewer than 1/)
        } finally {
          silent.resume()
        }
      })

      it('finds the primary again after it has changed places with its replica, and back', async () => {
        const { connection } = opened()
        const [key] = keys
        for (let change = 1; change <= 2; change += 1) {
          await changePlaces(servers, key)
          await connection.run(setScript, [key], [`${change}`])
          const writes = connection.follow()
          await writes.run(setScript, [`${key}:too`], [`${change}`])
          await writes.confirm(1, 5000)
          const primary = await servers.primaryOf(key)
          assert.equal(await primary.ask('GET', key), `${change}`)
          assert.equal(await primary.ask('GET', `${key}:too`), `${change}`)
        }
      })

      it('lets a store go on that looked at the server just when it had become a replica', async () => {
        const { client } = opened()
        const store = redisStore(client)
        try {
          assert.equal(await store.get('nobody'), undefined)
          for (let change = 1; change <= 2; change += 1) {
            await changePlaces(servers, createKeys('coatcheck:').format)
            sayReconnected(client)
            assert.equal(await store.get('nobody'), undefined)
          }
        } finally {
          await store.close()
        }
      })

      it('follows a slot that moves, and confirms only when it has arrived', async () => {
        const { connection } = opened()
        const key = `{${name}}key`
        const slot = `${await servers.nodes[0]?.ask('CLUSTER', 'KEYSLOT', key)}`
        const from = await servers.primaryOf(key)
        const to = await servers.primaryOf(one(keys.find((other) => other !== key)))
        const target = to === from ? await servers.primaryOf(keys[1]) : to
        const id = async (node: RedisServer) => `${await node.ask('CLUSTER', 'MYID')}`
        await target.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await id(from))
        await from.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await id(target))

        const moving = connection.follow()
        await moving.send(key, ['SET', key, 'value'])
        assert.equal(await from.ask('CLUSTER', 'COUNTKEYSINSLOT', slot), 0)
        await assert.rejects(moving.confirm(1, 5000), /replaced/)

        for (const node of [target, from]) {
          await node.ask('CLUSTER', 'SETSLOT', slot, 'NODE', await id(target))
        }
        await until('everybody knows', () => servers.untilOk().then(() => true))
        const moved = connection.follow()
        await moved.send(key, ['SET', key, 'other'])
        assert.equal(await target.ask('GET', key), 'other')
        await moved.confirm(1, 5000)
      })
    })
  }
})

describe('connecting', () => {
  const refused: Record<string, [client: unknown, message: RegExp]> = {
    nothing: [undefined, /takes a client of node-redis .* or of ioredis/],
    'a URL': ['redis://localhost', /redisStore\(await createClient\(\{ url \}\)\.connect\(\)\)/],
    'options of a client': [{ url: 'redis://localhost' }, /takes a client/],
    'a client for callbacks': [createClient().legacy(), /takes a client/],
    'an unfinished pipeline': [new Ioredis({ lazyConnect: true }).pipeline(), /takes a client/],
    'a client with a prefix of its own (node-redis)': [
      createClient({ keyPrefix: 'app:' }),
      /without `keyPrefix`/,
    ],
    'a client with a prefix of its own (ioredis)': [
      new Ioredis({ lazyConnect: true, keyPrefix: 'app:' }),
      /without `keyPrefix`/,
    ],
    'a Cluster client that reads from replicas': [
      new IoredisCluster([], { lazyConnect: true, scaleReads: 'slave' }),
      /scaleReads: 'master'/,
    ],
    'a Sentinel client of replicas': [
      new Ioredis({ lazyConnect: true, sentinels: [{}], name: 'x', role: 'slave' }),
      /role: 'master'/,
    ],
    'a client that turns numbers into text': [
      new Ioredis({ lazyConnect: true, stringNumbers: true }),
      /without `stringNumbers`/,
    ],
  }
  for (const [what, [client, message]] of Object.entries(refused)) {
    it(`refuses ${what} with a TypeError that says what to write`, () => {
      assert.throws(() => connect(client as never), { name: 'TypeError', message })
    })
  }
})

/** The replica of the key's primary takes its place at once. */
async function changePlaces(servers: Cluster, key: string): Promise<void> {
  const replica = await replicaOf(servers, key)
  await replica.ask('CLUSTER', 'FAILOVER', 'TAKEOVER')
  await until('it is the primary', async () => (await servers.primaryOf(key)) === replica)
  await servers.untilOk()
}

/** As a driver does when it has connected anew. */
function sayReconnected(client: RedisClient): void {
  const emitter = client as unknown as EventEmitter
  for (const event of ['node-ready', '+node']) emitter.emit(event)
}

const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value))
const setScript = toScript("for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1]) end")
const failingScript = toScript("return redis.error_reply('MINE own')")
const getScript = toScript("return redis.call('GET', KEYS[1])")

/** What every client does alike. */
function itTalks(opened: () => Opened, ownerOf: (key: string) => Promise<RedisServer>): void {
  it('gives back exactly the bytes it was given', async () => {
    const { connection } = opened()
    const large = Buffer.concat(Array.from({ length: 400 }, () => bytes))
    for (const value of [bytes, Buffer.alloc(0), large, new Uint8Array([0, 255, 128])]) {
      await connection.send('bytes', ['SET', 'bytes', value])
      assert.deepEqual(await connection.send('bytes', ['GET', 'bytes']), Buffer.from(value))
      await connection.run(setScript, ['bytes'], [value])
      assert.deepEqual(await connection.run(getScript, ['bytes'], []), Buffer.from(value))
    }
  })

  it('answers numbers, nothing, text, lists and maps in one way', async () => {
    const { connection } = opened()
    // Short enough for the server to keep the order.
    const short = bytes.subarray(200, 256)
    await connection.send('map', ['DEL', 'map'])
    assert.equal(await connection.send('map', ['HSET', 'map', 'a', '1', 'b', short]), 2)
    assert.deepEqual(await connection.send('map', ['HGETALL', 'map']), [
      ...[Buffer.from('a'), Buffer.from('1'), Buffer.from('b'), short],
    ])
    assert.equal(await connection.send('none', ['GET', 'none']), null)
    assert.deepEqual(await connection.send('text', ['SET', 'text', 'x']), Buffer.from('OK'))
    const script = toScript("return {1, false, ARGV[1], {}, {KEYS[1]}, redis.status_reply('FINE')}")
    assert.deepEqual(await connection.run(script, ['key'], [bytes]), [
      ...[1, null, bytes, [], [Buffer.from('key')], Buffer.from('FINE')],
    ])
  })

  it('sends many commands without waiting for the answers of others', async () => {
    const { connection } = opened()
    await connection.send('count', ['DEL', 'count'])
    const answers = await Promise.all(
      Array.from({ length: 500 }, () => connection.send('count', ['INCR', 'count'])),
    )
    assert.equal(new Set(answers).size, 500)
    assert.equal(Math.max(...answers.map(Number)), 500)
  })

  it('sends a script once, and again after the server forgot it', async () => {
    const { connection } = opened()
    const owner = await ownerOf('key')
    const script = toScript(`return ${Math.floor(Math.random() * 2 ** 40)}`)
    await owner.ask('CONFIG', 'RESETSTAT')
    const calls = (): Promise<string> => callsOf(owner, connection, script)
    assert.equal(await calls(), 'EVALSHA 2, EVAL 1')
    await owner.ask('SCRIPT', 'FLUSH')
    assert.equal(await calls(), 'EVALSHA 4, EVAL 2')
  })

  it('leaves no listener behind when it is closed', async () => {
    const client = opened().client as unknown as EventEmitter
    const listeners = (): string[] =>
      client.eventNames().map((name) => `${String(name)} ${client.listenerCount(name)}`)
    const before = listeners()
    const connection = connect(opened().client)
    connection.onReconnected(() => assert.fail('It was closed.'))
    const writes = connection.follow()
    await writes.send('key', ['SET', 'key', 'value'])
    assert.notDeepEqual(listeners(), before)
    connection.close()
    assert.deepEqual(listeners(), before)
    await assert.rejects(writes.confirm(0, 1000), /replaced/)
  })

  it("rejects with the server's message, and nothing of the command", async () => {
    const { connection } = opened()
    await connection.send('secret-key', ['SET', 'secret-key', '1'])
    const { send, run, follow } = connection
    const failing: [attempt: () => Promise<unknown>, message: RegExp][] = [
      [() => send('secret-key', ['HGET', 'secret-key', 'secret']), /^WRONGTYPE /],
      [() => send('secret-key', ['NONSENSE', 'secret-key', 'secret']), /^ERR unknown command/],
      [() => run(failingScript, ['secret-key'], ['secret']), /^MINE own/],
      [() => follow().send('secret-key', ['INCRBY', 'secret-key', 'secret']), /^ERR value/],
    ]
    for (const [attempt, message] of failing) {
      await assert.rejects(attempt(), (error: unknown) => {
        assert.ok(error instanceof Error)
        assert.match(error.message, message)
        assert.doesNotMatch(inspect(error, { depth: Infinity, showHidden: true }), /secret/)
        return true
      })
    }
  })
}

/** Runs it twice. How often the server was asked by SHA-1 and by source since it last counted. */
async function callsOf(
  owner: RedisServer,
  connection: RedisConnection,
  script: RedisScript,
): Promise<string> {
  for (let count = 0; count < 2; count++) await connection.run(script, ['key'], [])
  const stats = `${await owner.ask('INFO', 'commandstats')}`
  const [sha, source] = ['evalsha', 'eval'].map(
    (name) => new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1],
  )
  return `EVALSHA ${sha}, EVAL ${source}`
}

function itConfirms(opened: () => Opened, replicaOf: (key: string) => Promise<RedisServer>): void {
  it('confirms what a replica has, and says when none answers in time', async () => {
    const { connection } = opened()
    const writes = connection.follow()
    await writes.send('key', ['SET', 'key', 'one'])
    await writes.run(setScript, ['key'], ['two'])
    await writes.confirm(1, 5000)
    await assert.rejects(writes.confirm(2, 20), /Fewer than 2 .* within 20 ms/)

    const replica = await replicaOf('key')
    replica.pause()
    try {
      await writes.send('key', ['SET', 'key', 'three'])
      await assert.rejects(writes.confirm(1, 20), /Fewer than 1 .* within 20 ms/)
      const before = connection.follow()
      await assert.doesNotReject(before.confirm(1, 20), 'nothing was written')
    } finally {
      replica.resume()
    }
    await writes.confirm(1, 5000)
  })

  it('serves others while a confirmation waits for a replica that is silent', async () => {
    const { connection } = opened()
    const writes = connection.follow()
    const replica = await replicaOf('key')
    replica.pause()
    try {
      await writes.send('key', ['SET', 'key', 'value'])
      let waiting = true
      const confirmed = writes.confirm(1, 1000).finally(() => {
        waiting = false
      })
      confirmed.catch(() => undefined)
      for (let count = 0; count < 3; count++) await connection.send('key', ['GET', 'key'])
      assert.ok(waiting)
      await assert.rejects(confirmed, /Fewer than 1/)
    } finally {
      replica.resume()
    }
    await writes.confirm(1, 5000)
  })
}

function openedBefore(open: () => Promise<Opened>): () => Opened {
  let opened: Opened | undefined
  before(async () => {
    opened = await open()
  })
  after(() => opened?.close())
  return () => one(opened)
}

async function works(connection: RedisConnection): Promise<boolean> {
  return connection.send('key', ['SET', 'key', 'x']).then(
    () => true,
    () => false,
  )
}

async function replicaOf(servers: Cluster, key: string): Promise<RedisServer> {
  const { port } = await servers.primaryOf(key)
  for (const node of servers.nodes) {
    if (`${await node.ask('INFO', 'replication')}`.includes(`master_port:${port}`)) return node
  }
  throw new Error('the primary has no replica')
}

function mapped<From, To>(from: Record<string, From>, to: (one: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value)]))
}

function one<T>(found: T | undefined): T {
  assert.ok(found !== undefined)
  return found
}
