import assert from 'node:assert/strict'
import { createCipheriv, randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createClient } from 'redis'
import { type MsalRemainsFound, type MsalRemainsOptions, msalRemains } from '#coatcheck/msal/index'
import type { Ended } from '#coatcheck/places'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import {
  type Account,
  ada,
  bob,
  CLIENT,
  claimsOf,
  dotnetApplicationCache,
  dotnetCache,
  eve,
  javaCache,
  javaSerialized,
  nodeCache,
  pythonCache,
} from './entries.ts'

type Value = string | Buffer
type Entry = Value | Readonly<Record<string, Value>>

/** As StackExchangeRedis' `RedisCache` writes an entry of a distributed cache. */
function distributed(cache: Value): Record<string, Value> {
  return { absexp: '-1', sldexp: '864000000000', data: cache }
}

const encrypted = (() => {
  const cipher = createCipheriv('aes-256-gcm', randomBytes(32), randomBytes(12))
  return Buffer.concat([cipher.update(dotnetCache(ada)), cipher.final(), cipher.getAuthTag()])
})()

let redis: RedisServer & { close(): Promise<void> }
let client: ReturnType<typeof createClient>

before(async () => {
  redis = await startRedis()
  client = createClient({ url: redis.url })
  await client.connect()
})
beforeEach(() => redis.ask('FLUSHALL'))
after(async () => {
  client.destroy()
  await redis.close()
})

describe('what a library wrote of a user goes at sign-out, and nothing else does', () => {
  const gone: Record<string, () => Entry | Promise<Entry>> = {
    'Microsoft.Identity.Web': () => distributed(dotnetCache(ada)),
    'MSAL.NET in a plain string': () => dotnetCache(ada),
    'MSAL Python': () => pythonCache(ada),
    'MSAL Java': () => javaCache(ada),
    'MSAL Node': () => nodeCache(ada),
    'an account in upper case': () => dotnetCache({ ...ada, id: ada.id.toUpperCase() }),
    'an account alone, without tokens': () => {
      const { Account } = JSON.parse(dotnetCache(ada))
      return JSON.stringify({ Account })
    },
    'tokens of somebody whose account is gone': () => {
      const { RefreshToken } = JSON.parse(dotnetCache(ada))
      return JSON.stringify({ RefreshToken })
    },
  }
  for (const [name, entry] of Object.entries(gone)) {
    it(`${name}: the entry is gone`, async () => {
      await put('app:1', await entry())
      const { removed, found } = await end(ada)
      assert.equal(removed, 1)
      assert.deepEqual(
        { removed: found.removed, changed: found.changed },
        { removed: 1, changed: 0 },
      )
      assert.equal(await client.exists('app:1'), 0)
    })
  }

  const stays: Record<string, () => Entry> = {
    "somebody else's": () => distributed(dotnetCache(bob)),
    "that of a user whose id begins like this one's": () => pythonCache(eve),
    'tokens of the application itself': () => distributed(dotnetApplicationCache()),
    'text that names the account elsewhere': () =>
      JSON.stringify({ account: { homeAccountId: ada.id }, note: ada.id }),
    'a cache without anything in it': () =>
      JSON.stringify({ AccessToken: {}, RefreshToken: {}, IdToken: {}, Account: {} }),
    'a number': () => '17',
    'nothing at all': () => '',
  }
  for (const [name, entry] of Object.entries(stays)) {
    it(`${name}: stays as it is`, async () => {
      await put('app:1', entry())
      const then = await client.dump('app:1')
      const { removed, found } = await end(ada)
      assert.equal(removed, 0)
      assert.equal(found.keys, 1)
      assert.equal(found.unreadable, 0)
      assert.deepEqual(await client.dump('app:1'), then)
    })
  }

  it('a key that names the account and holds somebody else stays', async () => {
    await put(`app:${ada.id}`, distributed(dotnetCache(bob)))
    assert.equal((await end(ada)).removed, 0)
    assert.equal(await client.exists(`app:${ada.id}`), 1)
  })

  it('a key that names nobody goes all the same: an on-behalf-of entry', async () => {
    await put('app:q3vzLrjyBD0hZyTbAOy7Fg==', distributed(dotnetCache(ada)))
    assert.equal((await end(ada)).removed, 1)
  })

  it('keys that were not declared are not looked at', async () => {
    await put('other:1', dotnetCache(ada))
    const { found } = await end(ada)
    assert.equal(found.keys, 0)
    assert.equal(await client.exists('other:1'), 1)
  })
})

describe('who shares an entry with somebody keeps what is theirs', () => {
  const shared: Record<string, (...accounts: Account[]) => string> = {
    'MSAL.NET': dotnetCache,
    'MSAL Python': pythonCache,
    'MSAL Java': javaCache,
    'MSAL Node': nodeCache,
  }
  for (const [name, cache] of Object.entries(shared)) {
    it(`${name}: one of two accounts is taken out`, async () => {
      await put('app:1', cache(ada, bob), 3600)
      const { removed, found } = await end(ada)
      assert.equal(removed, 1)
      assert.equal(found.changed, 1)
      assert.deepEqual(JSON.parse(String(await client.get('app:1'))), JSON.parse(cache(bob)))
      assert.ok((await client.ttl('app:1')) > 3500, 'it expires as it would have')
    })
  }

  it('in a hash of .NET too, whose other fields stay', async () => {
    await put('app:1', distributed(dotnetCache(ada, bob)), 3600)
    assert.equal((await end(ada)).removed, 1)
    const { data = '', ...rest } = await client.hGetAll('app:1')
    assert.deepEqual(JSON.parse(data), JSON.parse(dotnetCache(bob)))
    assert.deepEqual({ ...rest }, { absexp: '-1', sldexp: '864000000000' })
    assert.ok((await client.ttl('app:1')) > 3500)
  })

  it('in one hash for all users only the field of one goes', async () => {
    await put('app:1', { [ada.id]: dotnetCache(ada), [bob.id]: dotnetCache(bob) })
    assert.equal((await end(ada)).removed, 1)
    assert.deepEqual(Object.keys(await client.hGetAll('app:1')), [bob.id])
  })

  it('with both gone the entry is gone', async () => {
    await put('app:1', dotnetCache(ada, bob))
    await end(bob)
    await end(ada)
    assert.equal(await client.exists('app:1'), 0)
  })

  it('both at once, as a sign-out of two sessions names them', async () => {
    await put('app:1', dotnetCache(ada, bob))
    await put('app:2', dotnetCache(eve))
    assert.equal((await end(ada, bob)).removed, 1)
    assert.deepEqual(await client.keys('*'), ['app:2'])
  })
})

describe('a cache that is a text within a session goes, and the session stays readable', () => {
  it('express: JSON in JSON', async () => {
    const session = (cache: string): string =>
      JSON.stringify({ cookie: { path: '/' }, tokenCache: cache, big: 'größer' })
    await put('app:1', session(pythonCache(ada, bob)))
    await put('app:2', session(dotnetCache(ada)))
    assert.equal((await end(ada)).removed, 2)
    const [first, second] = [await client.get('app:1'), await client.get('app:2')].map((text) =>
      JSON.parse(String(text)),
    )
    assert.deepEqual(JSON.parse(first.tokenCache), JSON.parse(pythonCache(bob)))
    assert.equal(first.big, 'größer')
    assert.deepEqual(JSON.parse(second.tokenCache).RefreshToken, {})
    assert.doesNotMatch(String(await client.get('app:2')), new RegExp(ada.id))
  })

  it('a cache that is an object within JSON', async () => {
    const big = '{"id":12345678901234567890,"cache":'
    await put('app:1', `${big}${dotnetCache(ada, bob)}}`)
    assert.equal((await end(ada)).removed, 1)
    const text = String(await client.get('app:1'))
    assert.ok(text.startsWith(big), 'what is around it is not written anew')
    assert.deepEqual(JSON.parse(text).cache, JSON.parse(dotnetCache(bob)))
  })

  it('Spring: a text as Java writes it, of the length that it says', async () => {
    const attribute = javaSerialized(javaCache(ada, bob))
    await put('app:1', { 'sessionAttr:cache': attribute, creationTime: '1' })
    assert.equal((await end(ada)).removed, 1)
    const text = (await client.hGet('app:1', 'sessionAttr:cache')) ?? ''
    assert.equal(Buffer.byteLength(text.slice(text.indexOf('{'))), attribute.length - 7)
    assert.deepEqual(JSON.parse(text.slice(text.indexOf('{'))), JSON.parse(javaCache(bob)))
  })
})

describe('what cannot be read is told, and never deleted', () => {
  const unreadable: Record<string, Entry> = {
    'an entry that Microsoft.Identity.Web encrypted': distributed(encrypted),
    'an encrypted string': encrypted,
    'encrypted text': encrypted.toString('base64'),
    'a cache that is cut off': dotnetCache(ada).slice(0, 900),
    'a cache three texts deep': JSON.stringify({ a: JSON.stringify({ b: dotnetCache(ada) }) }),
    'a compressed cache': Buffer.from([31, 139, 8, 0, 255, 254, 1, 2, 3]),
  }
  for (const [name, entry] of Object.entries(unreadable)) {
    it(name, async () => {
      await put('app:1', entry)
      const then = await client.dump('app:1')
      const { removed, found } = await end(ada)
      assert.equal(removed, 0)
      assert.equal(found.unreadable, 1)
      assert.deepEqual(await client.dump('app:1'), then)
    })
  }
})

describe('other kinds of keys are left alone', () => {
  it('lists, sets, sorted sets and streams', async () => {
    await client.rPush('app:1', dotnetCache(ada))
    await client.sAdd('app:2', dotnetCache(ada))
    await client.zAdd('app:3', { score: 1, value: dotnetCache(ada) })
    await client.xAdd('app:4', '*', { cache: dotnetCache(ada) })
    const { removed, found } = await end(ada)
    assert.equal(removed, 0)
    assert.deepEqual([found.keys, found.unreadable], [4, 0])
    assert.equal(await client.dbSize(), 4)
  })
})

describe('finding them', () => {
  it('two entries among a hundred thousand keys', async () => {
    await client.sendCommand([
      'EVAL',
      "for at = 1, 100000 do redis.call('SET', 'app:noise:' .. at, '{}') end",
      '0',
    ])
    await put('app:1', dotnetCache(ada))
    await put('app:2', distributed(dotnetCache(ada)))
    const { removed } = await end(ada)
    assert.equal(removed, 2)
    assert.equal(await client.dbSize(), 100_000)
  })

  it('by the account in the key, without looking at any other', async () => {
    await put(`app:${ada.id}`, distributed(dotnetCache(ada)))
    await put('app:1', dotnetCache(ada))
    const { removed, found } = await end(ada, { keys: ['app:{account}', 'app:{account}'] })
    assert.deepEqual([removed, found.keys > 0 && found.keys <= 2], [1, true])
    assert.deepEqual(await client.keys('*'), ['app:1'])
  })

  it('by the account in a pattern, as it is written and in lower case', async () => {
    const upper = { ...ada, id: ada.id.toUpperCase() }
    await put(`app:${ada.id}:v1`, dotnetCache(ada))
    await put(`app:${upper.id}:v1`, dotnetCache(upper))
    const { removed } = await end(upper, { keys: ['app:{account}:*'] })
    assert.equal(removed, 2)
  })

  it('by what the application says of a guest', async () => {
    const guest: Account = { id: 'home-oid.home-tenant', name: 'guest' }
    await put('app:1', dotnetCache(guest))
    assert.equal((await end(bob)).removed, 0)
    const accounts: MsalRemainsOptions['accounts'] = async ({ sessions }) =>
      sessions.map(({ claims }) => `${claims['oid'] && 'home-oid'}.HOME-tenant`)
    assert.equal((await end(bob, { accounts })).removed, 1)
  })

  it('nobody is looked for where no claim says whom: it cannot know', async () => {
    await put('app:1', dotnetCache(ada))
    const heard: MsalRemainsFound[] = []
    const place = msalRemains(client, { keys: ['app:*'], observe: (one) => heard.push(one) })
    const ended = { ...endedOf([]), sessions: [session({ name: 'ada' })] }
    assert.equal(await place.end(ended, AbortSignal.timeout(20_000)), undefined)
    assert.deepEqual(heard, [
      { receipt: 'r1', accounts: 0, keys: 0, removed: 0, changed: 0, unreadable: 0 },
    ])
  })

  it('a second time finds nothing and does no harm', async () => {
    await put('app:1', dotnetCache(ada))
    await put('app:2', dotnetCache(ada, bob))
    assert.equal((await end(ada)).removed, 2)
    const then = await client.dump('app:2')
    assert.equal((await end(ada)).removed, 0)
    assert.deepEqual(await client.dump('app:2'), then)
  })
})

describe('what others write meanwhile', () => {
  it('is read again, and never overwritten', async () => {
    await put('app:1', dotnetCache(ada, bob))
    let writes = 0
    // Before each attempt to replace it somebody else has replaced it: three times.
    const meddling = new Proxy(client, {
      get(target, name) {
        if (name !== 'sendCommand') {
          const own: unknown = Reflect.get(target, name)
          return typeof own === 'function' ? own.bind(target) : own
        }
        return async (command: readonly (string | Buffer)[], options?: object) => {
          if (String(command[0]) === 'EVAL' && writes < 3) {
            writes += 1
            await client.set('app:1', dotnetCache(ada, bob, { id: `w.${writes}`, name: 'new' }))
          }
          return target.sendCommand(command as string[], options)
        }
      },
    })
    assert.equal((await end(ada, {}, meddling)).removed, 1)
    const cache = JSON.parse(String(await client.get('app:1')))
    const owners = Object.values<{ home_account_id: string }>(cache.Account)
    assert.deepEqual(
      owners.map((owner) => owner.home_account_id),
      [bob.id, 'w.3'],
    )
  })
})

describe('an attempt has an end', () => {
  it('when nobody waits any longer', async () => {
    await put('app:1', dotnetCache(ada))
    const place = msalRemains(client, { keys: ['app:*'] })
    await assert.rejects(place.end(endedOf([ada]), AbortSignal.abort(new Error('no longer'))), {
      message: 'no longer',
    })
    assert.equal(await client.exists('app:1'), 1)
  })

  it('when it takes too long: it says what to write', async () => {
    await put('app:1', dotnetCache(ada))
    const stuck = new Proxy(client, {
      get(target, name) {
        const own: unknown = Reflect.get(target, name)
        if (name === 'sendCommand') return () => new Promise(() => {})
        return typeof own === 'function' ? own.bind(target) : own
      },
    })
    const place = msalRemains(stuck, { keys: ['app:*'], withinSeconds: 0.02 })
    await assert.rejects(
      place.end(endedOf([ada]), new AbortController().signal),
      /write `keys` with `\{account\}` and without wildcards/,
    )
  })

  it('leaves no listener on the client', async () => {
    const listeners = (): number =>
      client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0)
    const then = listeners()
    await end(ada)
    assert.equal(listeners(), then)
  })
})

describe('misconfiguration says what to write', () => {
  const bad: Record<string, () => unknown> = {
    'msalRemains takes a client of node-redis': () => msalRemains({} as never, { keys: ['a'] }),
    'msalRemains needs `keys`': () => msalRemains(client, { keys: [] }),
    'needs `keys`': () => msalRemains(client, { keys: [''] }),
    '`name` of msalRemains': () => msalRemains(client, { keys: ['a'], name: 'Not this' }),
    '`withinSeconds` of msalRemains': () => msalRemains(client, { keys: ['a'], withinSeconds: 0 }),
  }
  for (const [message, make] of Object.entries(bad)) {
    it(message, () => {
      assert.throws(make, (error) => error instanceof TypeError && error.message.includes(message))
    })
  }
})

async function put(key: string, entry: Entry, seconds?: number): Promise<void> {
  if (typeof entry === 'string' || Buffer.isBuffer(entry)) await client.set(key, entry)
  else await client.hSet(key, entry)
  if (seconds !== undefined) await client.expire(key, seconds)
}

interface Ending {
  readonly removed: number | undefined
  readonly found: MsalRemainsFound
}

async function end(
  ...given: readonly (Account | Partial<MsalRemainsOptions> | typeof client)[]
): Promise<Ending> {
  const accounts = given.filter((one): one is Account => 'id' in one)
  const [options = {}, over = client] = given.slice(accounts.length) as [
    Partial<MsalRemainsOptions>?,
    typeof client?,
  ]
  let found: MsalRemainsFound | undefined
  const place = msalRemains(over, {
    keys: ['app:*'],
    observe(heard) {
      found = heard
      throw new Error('An observer that fails changes nothing.')
    },
    ...options,
  })
  const removed = await place.end(endedOf(accounts), AbortSignal.timeout(20_000))
  assert.ok(found)
  assert.equal(found.receipt, 'r1')
  return { removed, found }
}

function endedOf(accounts: readonly Account[]): Ended {
  return {
    receipt: 'r1',
    cause: 'back_channel',
    at: 0,
    named: [],
    sessions: accounts.map((one) => session(claimsOf(one))),
  }
}

function session(claims: Record<string, unknown>): Ended['sessions'][number] {
  return { handle: 'h', issuer: `https://op.test/${CLIENT}`, subject: 's', sid: undefined, claims }
}
