import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type MsalRemainsFound, msalRemains } from '#coatcheck/msal/index'
import type { Ended } from '#coatcheck/places'
import { type Cluster, startCluster } from '../servers/cluster.ts'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import type { Closable } from '../servers/workplace.ts'
import { clientsOfCluster, clientsOfOne, type Opened } from '../stores/redis-clients.ts'
import { type Account, account, ada, bob, claimsOf, dotnetCache } from './entries.ts'

/** Some are alone in an entry, some share one. */
const OTHERS = 40
const NOT_TEXT = Buffer.from([0x61, 0x3a, 0xff, 0xfe])

describe('on a server of its own', () => {
  let server: RedisServer & Closable
  before(async () => {
    server = await startRedis()
  })
  after(() => server.close())
  for (const [name, open] of Object.entries(clientsOfOne)) {
    it(`finds and removes with ${name}`, async () => judge(await open(server.url)))
  }
})

describe('on a Cluster, whose every primary has some of the keys', () => {
  let cluster: Cluster & Closable
  before(async () => {
    cluster = await startCluster()
  })
  after(() => cluster.close())
  for (const [name, open] of Object.entries(clientsOfCluster)) {
    it(`finds and removes with ${name}`, async () => judge(await open(cluster)))
  }
})

async function judge({ client, connection, close }: Opened): Promise<void> {
  try {
    const send = (key: string | Buffer, ...command: (string | Buffer)[]): Promise<unknown> =>
      connection.send(key.toString(), command)
    const keys: string[] = []
    for (let nth = 0; nth < OTHERS; nth += 1) {
      const key = `a:${nth}`
      keys.push(key)
      const somebody = account(`somebody-${nth}`, 'somebody')
      const shared = nth % 4 === 0 ? [somebody, ada] : [somebody]
      if (nth % 2 === 0) await send(key, 'SET', key, dotnetCache(...shared))
      else await send(key, 'HSET', key, 'data', dotnetCache(...shared), 'absexp', '-1')
    }
    await send('a:ada', 'HSET', 'a:ada', 'data', dotnetCache(ada), 'absexp', '-1')
    await send(NOT_TEXT, 'SET', NOT_TEXT, dotnetCache(ada, bob))

    const found = await end(client, ada)
    assert.deepEqual(found, {
      receipt: 'r1',
      accounts: 1,
      keys: OTHERS + 2,
      removed: 1,
      changed: OTHERS / 4 + 1,
      unreadable: 0,
    })
    assert.equal(await send('a:ada', 'EXISTS', 'a:ada'), 0)
    for (const [nth, key] of keys.entries()) {
      const read = nth % 2 === 0 ? ['GET', key] : ['HGET', key, 'data']
      const left = String(await send(key, ...read))
      assert.deepEqual(
        JSON.parse(left),
        JSON.parse(dotnetCache(account(`somebody-${nth}`, 'somebody'))),
      )
    }
    const left = String(await send(NOT_TEXT, 'GET', NOT_TEXT))
    assert.deepEqual(JSON.parse(left), JSON.parse(dotnetCache(bob)))
    for (const key of [...keys, NOT_TEXT]) await send(key, 'DEL', key)
  } finally {
    close()
  }
}

async function end(client: Opened['client'], who: Account): Promise<MsalRemainsFound> {
  let found: MsalRemainsFound | undefined
  const place = msalRemains(client, {
    keys: ['a:*'],
    observe(heard) {
      found = heard
    },
  })
  const session = { handle: 'h', issuer: 'https://op.test', subject: 's', sid: undefined }
  const ended: Ended = {
    receipt: 'r1',
    cause: 'administrator',
    at: 0,
    named: [],
    sessions: [{ ...session, claims: claimsOf(who) }],
  }
  assert.equal(await place.end(ended, AbortSignal.timeout(20_000)), OTHERS / 4 + 2)
  return found ?? assert.fail()
}
