import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { TokenStore } from '#coatcheck'
import { cookiesOf, onlyCookie } from '#coatcheck/core/http/cookies'
import { createOpenedSessions, forgetRemoved } from '#coatcheck/core/session/opened'
import type { SessionRecord } from '#coatcheck/core/session/record'
import type { Vault } from '#coatcheck/core/tokens/vault'
import { memoryStore } from '#coatcheck/stores/memory'
import { settle, startClock } from '../support/application.ts'
import { start } from '../support/requests.ts'
import { tamperingStore } from '../support/tampering-store.ts'

const vault = {} as Vault
const record = {} as SessionRecord

/** A store that tells what it was asked, and gives other bytes each time, as a database does. */
function copyingStore(now: () => number): TokenStore & { readonly asked: string[] } {
  const inner = memoryStore({ now })
  const asked: string[] = []
  return {
    ...inner,
    asked,
    get(id) {
      asked.push(id)
      const bytes = inner.get(id) as Uint8Array | undefined
      return bytes && Uint8Array.from(bytes)
    },
  }
}

describe('a session that was opened a moment ago', () => {
  it('is not opened again for the next request, and the store is asked all the same', async (t) => {
    const clock = startClock()
    const store = copyingStore(clock.now)
    const app = await start(t, { store, given: { clock } })
    const request = app.as(await app.signedIn())
    const first = await app.auth.session(request)
    const token = await app.auth.accessToken(request)
    store.asked.length = 0
    const second = await app.auth.session(request)
    assert.equal(second?.claims, first?.claims)
    assert.equal(store.asked.length, 1)
    assert.equal(await app.auth.accessToken(request), token)
    assert.equal(store.asked.length, 2)
  })

  it('is not served once it is removed, by this process or by another', async (t) => {
    for (const by of ['this', 'another']) {
      const app = await start(t)
      const request = app.as(await app.signedIn())
      const session = (await app.auth.session(request)) ?? assert.fail()
      await app.auth.accessToken(request)
      await (by === 'this' ? app.auth : app.another()).signOut({ session })
      assert.equal(await app.auth.session(request), undefined)
      await assert.rejects(app.auth.accessToken(request), { name: 'SignInRequired' })
      await assert.rejects(app.auth.accessToken(session), { name: 'SignInRequired' })
    }
  })

  it('is not served once its time is over', async (t) => {
    const app = await start(t, { session: { idleSeconds: 600 } })
    const request = app.as(await app.signedIn())
    assert.ok(await app.auth.session(request))
    app.clock.forward(600_000)
    assert.equal(await app.auth.session(request), undefined)
  })

  it('is opened anew when another process refreshed it', async (t) => {
    const app = await start(t)
    const other = app.another()
    const request = app.as(await app.signedIn())
    const before = await app.auth.accessToken(request)
    const renewed = await other.accessToken(request, { forceRefresh: true })
    assert.notEqual(renewed.value, before.value)
    assert.equal((await app.auth.accessToken(request)).value, renewed.value)
  })

  it('is no help to bytes that differ in a single bit', async (t) => {
    const clock = startClock()
    const store = tamperingStore(clock.now)
    const app = await start(t, { store, given: { clock } })
    const request = app.as(await app.signedIn())
    assert.ok(await app.auth.session(request))
    const [id = ''] = store.ids('s.')
    await store.spoil(id, (value) => {
      const spoilt = Uint8Array.from(value)
      spoilt[40] = (spoilt[40] ?? 0) ^ 1
      return spoilt
    })
    assert.equal(await app.auth.session(request), undefined)
    assert.equal(app.heard('record_unreadable').length, 1)
  })

  it('is handed to each request so that none can change what the next one gets', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn()
    app.provider.next('id_token', (draft) => {
      Object.assign(draft.claims, { groups: ['staff'], address: { country: 'NL' } })
    })
    const request = app.as(browser)
    await app.auth.accessToken(request, { forceRefresh: true })
    const session = (await app.auth.session(request)) ?? assert.fail()
    const claims = session.claims as { sub: string; groups: string[]; address: { country: string } }
    assert.throws(() => claims.groups.push('administrators'), TypeError)
    assert.throws(() => Object.assign(claims.address, { country: 'BE' }), TypeError)
    assert.throws(() => Object.assign(claims, { sub: 'somebody else' }), TypeError)
    Object.assign(session, { subject: 'somebody else', claims: {}, expiresAt: 0 })
    const token = await app.auth.accessToken(request)
    assert.throws(() => Object.assign(token, { value: 'another token' }), TypeError)

    const next = (await app.auth.session(request)) ?? assert.fail()
    assert.equal(next.subject, claims.sub)
    assert.deepEqual(next.claims['groups'], ['staff'])
    assert.deepEqual(next.claims['address'], { country: 'NL' })
    assert.ok(next.expiresAt > app.clock.now())
  })

  it('is read again where the keyring had to be waited for', async (t) => {
    const clock = startClock()
    const store = memoryStore({ now: clock.now })
    const app = await start(t, { store, given: { clock } })
    const request = app.as(await app.signedIn())
    // A process that has just started: a sign-out lands while it waits for the keyring.
    let signOut: (() => Promise<unknown>) | undefined = () =>
      app.auth.signOut({ subject: app.provider.user.sub })
    const late = app.another({
      store: {
        ...store,
        async get(id) {
          const bytes = store.get(id)
          if (id === 'k') await signOut?.()
          return bytes
        },
      },
    })
    await assert.rejects(late.accessToken(request), { name: 'SignInRequired' })
    signOut = undefined
    assert.equal(await late.session(request), undefined)
  })
})

describe('what is remembered of opened sessions', () => {
  it('is known by the very bytes it was opened from, and by the vault that opened it', () => {
    const opened = createOpenedSessions({ wait: startClock().wait })
    opened.remember('s.1', Uint8Array.of(1, 2, 3), vault, record)
    assert.equal(opened.find('s.1', Uint8Array.of(1, 2, 3), vault), record)
    assert.equal(opened.find('s.1', Uint8Array.of(1, 2, 4), vault), undefined)
    assert.equal(opened.find('s.2', Uint8Array.of(1, 2, 3), vault), undefined)
    // The keyring was renewed: a key may have been taken out.
    assert.equal(opened.find('s.1', Uint8Array.of(1, 2, 3), {} as Vault), undefined)
    opened.forget('s.1')
    assert.equal(opened.find('s.1', Uint8Array.of(1, 2, 3), vault), undefined)
  })

  it('is gone after a minute at most, however often it was used', async () => {
    const clock = startClock()
    const opened = createOpenedSessions({ wait: clock.wait })
    const bytes = randomBytes(8)
    opened.remember('s.1', bytes, vault, record)
    clock.forward(30_000)
    await settle()
    assert.equal(opened.find('s.1', bytes, vault), record)
    clock.forward(30_000)
    await settle()
    assert.equal(opened.find('s.1', bytes, vault), undefined)
    // It still looks after what comes later.
    opened.remember('s.1', bytes, vault, record)
    assert.equal(opened.find('s.1', bytes, vault), record)
    for (const _ of [1, 2]) {
      clock.forward(30_000)
      await settle()
    }
    assert.equal(opened.find('s.1', bytes, vault), undefined)
  })

  it('takes 16 MiB of sealed bytes at most, and the newest stay', () => {
    const opened = createOpenedSessions({ wait: startClock().wait })
    const bytes = randomBytes(2 ** 16)
    const ids = Array.from({ length: 1000 }, (_, at) => `s.${at}`)
    for (const id of ids) opened.remember(id, bytes, vault, record)
    const left = ids.filter((id) => opened.find(id, bytes, vault) !== undefined)
    assert.ok(left.length <= 256 && left.length >= 128, `${left.length} are left`)
    assert.deepEqual(left, ids.slice(-left.length))
  })

  it('goes with whatever is removed, and all of it when asked', async () => {
    const now = Date.now()
    const opened = createOpenedSessions({ wait: startClock().wait })
    const store = forgetRemoved(memoryStore({ now: () => now }), opened)
    const bytes = randomBytes(8)
    const established = { provider: now, here: now }
    const add = async (id: string, expiresAt = now + 1000): Promise<void> => {
      await store.insert(id, { value: bytes, expiresAt, established, indexes: ['i'] })
      opened.remember(id, bytes, vault, record)
    }
    const isKnown = (id: string): boolean => opened.find(id, bytes, vault) !== undefined

    await add('s.1')
    await add('s.2')
    await add('s.3', now - 1)
    await store.remove('s.1')
    assert.deepEqual(['s.1', 's.2', 's.3'].map(isKnown), [false, true, true])
    await store.sweep(() => [], 10)
    assert.deepEqual(['s.2', 's.3'].map(isKnown), [true, false])
    const mark = { clock: 'here', establishedUntil: now, keepUntil: now + 1000 } as const
    const value = { value: bytes, expiresAt: now, established, indexes: [] }
    await store.removeAll([{ index: 'i', mark }], {
      owe: () => [],
      limit: 10,
      unfinished: { id: 'u', record: value },
      resumed: false,
    })
    assert.equal(isKnown('s.2'), false)
    await add('s.4')
    opened.forgetAll()
    assert.equal(isKnown('s.4'), false)
  })

  it('keeps no part of a larger buffer', () => {
    const opened = createOpenedSessions({ wait: startClock().wait })
    const large = randomBytes(100)
    const part = large.subarray(10, 20)
    opened.remember('s.1', part, vault, record)
    const same = Uint8Array.from(part)
    large.fill(0)
    assert.equal(opened.find('s.1', same, vault), record)
  })
})

describe('the one cookie of a name', () => {
  it('is found as by cutting the whole header apart', () => {
    const piece = fc.constantFrom(
      'coat',
      '=',
      ';',
      ' ',
      '\t',
      '\u00a0',
      'a',
      'coat=',
      '; coat=1',
      '; ',
      ';coat =',
      'coat.x=',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const header = pieces.join('')
        const all = cookiesOf(header, 'coat').filter(({ name }) => name === 'coat')
        const expected = all.length === 1 ? all[0]?.value : undefined
        assert.equal(onlyCookie(header, 'coat'), expected)
      }),
      { numRuns: 20_000 },
    )
    assert.equal(onlyCookie(undefined, 'coat'), undefined)
  })
})
