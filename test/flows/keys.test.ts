import assert from 'node:assert/strict'
import { createSecretKey } from 'node:crypto'
import { describe, it } from 'node:test'
import { type Auth, AuthError } from '#coatcheck'
import { createVault, type Vault } from '#coatcheck/core/tokens/vault'
import type { TestBrowser } from '#coatcheck/testing/browser'
import type { Application } from '../support/application.ts'
import {
  arriving,
  ask,
  assertSignInWorks,
  cookieHeader,
  cookiesIn,
  failures,
  sessionOf,
  start,
} from '../support/requests.ts'

const K1 = 'the first key, of thirty-two bytes and more'
const K2 = 'the second key, of thirty-two bytes and more'
const K3 = 'the third key, of thirty-two bytes and more'
const OTHER = 'a key of somebody else, of thirty-two bytes'

describe('keys that are rotated under a deployment that goes on', () => {
  const ways: [string, string[][]][] = [
    ['each taken out before the next comes', [[K2, K1], [K2], [K3, K2], [K3]]],
    [
      'the next coming as the last one goes',
      [
        [K2, K1],
        [K3, K2],
        [OTHER, K3],
      ],
    ],
  ]
  for (const [title, steps] of ways)
    it(`lose no session, no sign-in under way and no sign-out, ${title}`, async (t) => {
      const app = await start(t, { keys: [K1] })
      const processes: Auth[] = [app.auth, app.another(), app.another()]
      const kept = new Map<string, TestBrowser>()
      let count = 0

      /** Somebody signs in at each process, and each process serves everybody. */
      async function live(): Promise<void> {
        for (const at of processes) {
          const sub = `U${++count}`
          kept.set(sub, await app.signedIn({ sub, sid: `S${count}` }, at))
        }
        for (const [sub, browser] of kept) {
          for (const at of processes) {
            const request = app.as(browser)
            assert.equal((await at.session(request))?.subject, sub)
            assert.ok((await at.accessToken(request)).value)
          }
        }
      }

      /** A logout token at each process ends a session that began at another, for all of them. */
      async function signOut(): Promise<void> {
        app.clock.forward(1000)
        for (const [place, at] of processes.entries()) {
          const [sub = '', browser] = [...kept][(place * 7) % kept.size] ?? []
          const session = { sub, sid: `S${sub.slice(1)}` }
          const token = await app.provider.logoutToken({ session })
          assert.equal((await app.logout(token, at)).status, 200)
          kept.delete(sub)
          for (const any of processes) {
            assert.equal(await any.session(app.as(browser ?? assert.fail())), undefined)
            assert.deepEqual(await any.sessions({ subject: sub }), [])
          }
        }
      }

      await live()
      for (const keys of steps) {
        for (const place of processes.keys()) {
          const waiting = await arriving(app, '', { auth: processes[place] ?? assert.fail() })
          await processes[place]?.close()
          processes[place] = app.another({ keys })
          for (const auth of processes) assert.ok(await auth.sessions({ subject: 'U1' }))
          await live()
          await signOut()
          const auth = processes[(place + 1) % 3] ?? assert.fail()
          const { status } = await ask(app, waiting.path, { cookie: waiting.cookie, auth })
          assert.equal(status, 303, `${keys.length} keys, process ${place}`)
        }
      }
      assert.deepEqual(failures(app), [])
      assert.deepEqual(app.heard('record_unreadable'), [])
      assert.deepEqual(app.heard('store_failed'), [])
    })

  it('leave what the old key alone could open behind, once it is gone', async (t) => {
    const app = await start(t, { keys: [K1] })
    await assertSignInWorks(app)
    for (const keys of [[K2, K1], [K2]]) await assertSignInWorks(app, app.another({ keys }))
    await assertUnknown(app, app.another({ keys: [K1] }))
  })

  it('may be put back before the old one is gone', async (t) => {
    const app = await start(t, { keys: [K1] })
    const browser = await app.signedIn()
    await assertSignInWorks(app, app.another({ keys: [K2, K1] }))
    const back = app.another({ keys: [K1] })
    assert.ok(await back.session(app.as(browser)))
    await assertSignInWorks(app, back)
  })

  it('are the same key as text and as its bytes', async (t) => {
    const app = await start(t, { keys: [K1] })
    const browser = await app.signedIn()
    const bytes = app.another({ keys: [new TextEncoder().encode(K1)] })
    assert.ok(await bytes.session(app.as(browser)))
  })

  it('may all be new where several processes start at once on an empty store', async (t) => {
    const app = await start(t, { keys: [K2, K1] })
    const auths = [app.auth, app.another(), app.another({ keys: [K1] }), app.another()]
    const arrivals = await Promise.all(auths.map((auth) => arriving(app, '', { auth })))
    const answers = await Promise.all(
      arrivals.map(({ path, cookie }, place) => {
        const auth = auths[(place + 1) % auths.length] ?? assert.fail()
        return ask(app, path, { cookie, auth })
      }),
    )
    for (const answer of answers) {
      assert.equal(answer.status, 303)
      const cookie = cookieHeader(cookiesIn(answer).at(-1) ?? assert.fail())
      for (const auth of auths) assert.ok(await sessionOf(app, cookie, auth))
    }
  })
})

describe('keys that never opened this store', () => {
  it('serve nothing, change nothing, and say what to write', async (t) => {
    const app = await start(t, { keys: [K1] })
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    const wrong = app.another({ keys: [OTHER] })
    await assertUnknown(app, wrong)
    const request = app.as(browser)
    await assert.rejects(wrong.session(request), { code: 'keys_unknown' })
    await assert.rejects(wrong.accessToken(request), { code: 'keys_unknown' })
    await assert.rejects(wrong.signOut({ subject: 'U1' }), { code: 'keys_unknown' })
    app.clock.forward(1000)
    const token = await app.provider.logoutToken()
    assert.equal((await app.logout(token, wrong)).status, 400)
    assert.ok(await app.auth.session(request), 'nothing changed')
    // The same message again, where the keys are right.
    assert.equal((await app.logout(token)).status, 200)
    assert.equal(await app.auth.session(request), undefined)
  })

  it('are enough where the right one stands beside them', async (t) => {
    const app = await start(t, { keys: [K1] })
    const browser = await app.signedIn()
    assert.ok(await app.another({ keys: [OTHER, K1] }).session(app.as(browser)))
  })
})

describe('a store that was emptied', () => {
  it('is one in which nobody is signed in, and in which everybody can sign in', async (t) => {
    const app = await start(t, { keys: [K1] })
    const browser = await app.signedIn()
    const fresh = await start(t, { keys: [K1], given: { clock: app.clock } })
    assert.equal(await fresh.auth.session(app.as(browser)), undefined)
    await assertSignInWorks(fresh)
  })

  it('keeps working for processes that knew its keyring', async (t) => {
    const app = await start(t, { keys: [K1] })
    const other = app.another()
    const browser = await app.signedIn()
    await other.session(app.as(browser))
    await app.store.remove('k')
    await assertSignInWorks(app, other)
    await assertSignInWorks(app)
    assert.ok(await other.session(app.as(browser)))
    assert.ok(await app.another().session(app.as(browser)))
  })
})

describe('a store that lost its keyring, and nothing else', () => {
  it('gets no other keyring from a new process, and its own back from one that still has it', async (t) => {
    const app = await start(t, { keys: [K1] })
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    assert.ok(await app.store.remove('k'))

    const fresh = app.another({ keys: [K1] })
    const lost = {
      code: 'keys_unknown',
      message: /keyring of this store is lost.*restore the store/,
    }
    await assert.rejects(fresh.signOut({ subject: 'U1' }), lost)
    await assert.rejects(fresh.session(app.as(browser)), lost)
    assert.equal(await app.store.get('k'), undefined)

    // It was never away for a process that knows it: any sign-in or sign-out there puts it back.
    assert.equal((await app.auth.signOut({ subject: 'nobody' })).removed, 0)
    assert.equal((await fresh.signOut({ subject: 'U1' })).removed, 1)
    assert.equal(await app.auth.session(app.as(browser)), undefined)
  })
})

describe('the names under which sessions are found', () => {
  it('cannot be mixed up, whatever issuer, user and session are called [SEC-13]', () => {
    const vault = vaultOfOneKey()
    const parts = [
      '',
      'a',
      'b',
      '|',
      'a|b',
      'a|',
      '|b',
      '\u0000',
      'a\u0000b',
      '1:a',
      '\u00001:a',
      '*',
      '?',
      '\r\n',
      'é',
      'e\u0301',
      'x'.repeat(255),
    ]
    const seen = new Set<string>()
    let count = 0
    for (const kind of ['sid', 'subject', 'subject_without_sid', 'claim'] as const) {
      seen.add(vault.index(kind))
      count++
      for (const first of parts) {
        seen.add(vault.index(kind, first))
        count++
        for (const second of parts) {
          const name = vault.index(kind, first, second)
          // 128 bits that no pattern, no protocol and no file system takes for anything else.
          assert.match(name, /^[\w-]{22}$/)
          seen.add(name)
          count++
        }
      }
    }
    assert.equal(seen.size, count)
  })
})

it('opens what is sealed for the purpose and under the name it was sealed for, and for no other', () => {
  const vault = vaultOfOneKey()
  const sealed = vault.seal('session', 's.1', { subject: 'U1' }, ['a token'])
  const said = { content: { subject: 'U1' }, tokens: ['a token'] }
  assert.deepEqual(vault.open('session', 's.1', sealed), said)
  const unreadable = { reason: 'unreadable' }
  assert.deepEqual(vault.open('work', 's.1', sealed), unreadable)
  assert.deepEqual(vault.open('session', 's.2', sealed), unreadable)
  assert.deepEqual(vault.open('session', '', sealed), unreadable)
})

function vaultOfOneKey(): Vault {
  const secret = createSecretKey(new Uint8Array(32).fill(1))
  const secrets = { index: secret, seal: [{ id: new Uint8Array(6), secret }] }
  return createVault(secrets, (length) => new Uint8Array(length))
}

/** Every way in says 503 and `keys_unknown`, with a message that says what to do. */
async function assertUnknown(app: Application, auth: Auth): Promise<void> {
  const before = failures(app).length
  const response = await ask(app, '/auth/sign-in', { auth })
  assert.equal(response.status, 503)
  assert.match(await response.text(), /The operator of this application has to act/)
  assert.deepEqual(failures(app).slice(before), ['keys_unknown'])
  const error: unknown = await auth.sessions({ subject: 'U1' }).catch((error) => error)
  assert.ok(error instanceof AuthError)
  assert.equal(error.code, 'keys_unknown')
  assert.match(error.message, /None of `keys` opens this store\. Add the key that was used before/)
  assert.match(error.message, /behind the new one; to start afresh.*empty the store/)
  for (const key of [K1, K2, OTHER]) assert.equal(error.message.includes(key), false)
}
