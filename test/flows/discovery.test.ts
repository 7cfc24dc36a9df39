import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { environment } from '#coatcheck/core/environment'
import {
  arriving,
  ask,
  assertNotStored,
  assertSignInWorks,
  depart,
  failures,
  start,
} from '../support/requests.ts'

describe('a provider whose metadata cannot be used', () => {
  const documents: [string, (metadata: Record<string, unknown>) => void][] = [
    ['name another issuer [DIS-2]', (m) => Object.assign(m, { issuer: `${m['issuer']}INVALID` })],
    [
      'name the issuer with a slash [DIS-2]',
      (m) => Object.assign(m, { issuer: `${m['issuer']}/` }),
    ],
    ['name no issuer [DIS-2]', (m) => delete m['issuer']],
    ['have no authorization endpoint [DIS-3]', (m) => delete m['authorization_endpoint']],
    [
      'have a token endpoint that is a list [DIS-3]',
      (m) => Object.assign(m, { token_endpoint: [1] }),
    ],
    [
      'have plain http keys [DIS-3, DIS-5]',
      (m) => Object.assign(m, { jwks_uri: 'http://op.test/k' }),
    ],
    [
      'have a plain http end-session [DIS-12]',
      (m) => Object.assign(m, { end_session_endpoint: 'http://op.test/end' }),
    ],
    [
      'send users to plain http [DIS-3]',
      (m) => Object.assign(m, { authorization_endpoint: 'http://op.test/authorize' }),
    ],
    [
      'send users to a script [DIS-3]',
      (m) => Object.assign(m, { authorization_endpoint: 'javascript:alert(1)' }),
    ],
  ]
  for (const [title, change] of documents) {
    it(title.replace(/( \[.*)$/, ' is not asked for a sign-in$1'), async (t) => {
      const app = await start(t)
      const good = { ...app.provider.metadata }
      change(app.provider.metadata as Record<string, unknown>)
      const response = await ask(app, '/auth/sign-in')
      assert.equal(response.status, 502)
      assert.equal(response.headers.get('location'), null)
      assert.deepEqual(response.headers.getSetCookie(), [])
      assertNotStored(response)
      assert.deepEqual(failures(app), ['provider_invalid'])
      assert.equal(app.provider.count('authorization'), 0)
      Object.assign(app.provider.metadata, good)
      await assertSignInWorks(app)
    })
  }

  const answers: [string, object, number][] = [
    ['a web page', { body: '<html>', headers: { 'content-type': 'text/html' } }, 502],
    ['a list', { body: '[]' }, 502],
    ['half a document', { json: { issuer: 'x' }, wire: 'cut' }, 503],
    ['a document without end', { body: '{', wire: 'endless' }, 502],
    ['a redirect', { status: 302, headers: { location: 'https://evil.example/' } }, 502],
    ['no answer', { wire: 'drop' }, 503],
    ['an error', { status: 500, json: {} }, 503],
    ['too deep a document', { body: `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}` }, 502],
  ]
  for (const [title, answer, status] of answers) {
    it(`is told clearly: ${title} gives ${status}, and the next sign-in works [DIS-3, DIS-8]`, async (t) => {
      const app = await start(t)
      app.provider.next('discovery', answer)
      const response = await ask(app, '/auth/sign-in')
      assert.equal(response.status, status)
      assert.equal(response.headers.get('retry-after'), status === 503 ? '5' : null)
      assert.deepEqual(failures(app), [
        status === 503 ? 'provider_unreachable' : 'provider_invalid',
      ])
      await assertSignInWorks(app)
    })
  }
})

describe('a provider that is away', () => {
  it('keeps users from signing in, keeps nobody signed out, and is back at once [DIS-9]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn()
    const fresh = app.another()
    await app.provider.stop()
    assert.equal((await ask(app, '/auth/sign-in', { auth: fresh })).status, 503)
    assert.deepEqual(failures(app), ['provider_unreachable'])
    assert.ok(await fresh.session(app.as(browser)))
    assert.ok((await fresh.accessToken(app.as(browser))).value)
    await app.provider.start()
    await assertSignInWorks(app, fresh)
  })

  it('when the user returns does not use up the code: nothing is sent before it could be checked', async (t) => {
    const app = await start(t)
    app.provider.next('jwks', { status: 503, json: {} }, { times: 2 })
    const first = await arriving(app)
    assert.equal((await ask(app, first.path, { cookie: first.cookie })).status, 503)
    assert.equal(app.provider.count('token'), 0)
    assert.deepEqual(failures(app), ['provider_unreachable'])
    app.provider.forget()
    await assertSignInWorks(app)
  })

  it('between redirect and callback fails that sign-in clearly, and not the next one', async (t) => {
    const app = await start(t)
    await assertSignInWorks(app)
    const { path, cookie } = await arriving(app)
    await app.provider.stop()
    const response = await ask(app, path, { cookie })
    assert.equal(response.status, 503)
    assert.match(await response.text(), /does not answer/)
    await app.provider.start()
    await assertSignInWorks(app)
  })

  it('and comes back with new addresses is asked anew within the hour', async (t) => {
    const app = await start(t)
    await assertSignInWorks(app)
    app.provider.metadata.authorization_endpoint = `${app.provider.issuer}/authorize?v=2`
    app.clock.forward(3_600_000)
    await depart(app)
    await app.provider.received('discovery', 2)
    // The answer arrives behind the scenes: some sign-in soon sees it.
    for (let turn = 0; turn < 1000; turn++) {
      if ((await depart(app)).authorization.searchParams.get('v') === '2') return
    }
    assert.fail('never seen')
  })
})

describe('the addresses that are asked', () => {
  it('are those of the metadata, and no request goes anywhere else [DIS-1, DIS-5, SEC-11]', async (t) => {
    const asked = new Set<string>()
    const app = await start(t, {
      userInfo: true,
      [environment]: {
        fetch: (url, init) => {
          asked.add(String(url))
          assert.equal(init?.redirect, 'manual')
          return app.provider.fetch(url, init)
        },
      },
    })
    const browser = await app.signedIn()
    await app.auth.accessToken(app.as(browser), { forceRefresh: true })
    await app.auth.signOut({ subject: 'U1' })
    await app.provider.received('revocation', 2)
    await app.auth.close()
    const { metadata, issuer } = app.provider
    assert.deepEqual(
      asked,
      new Set([
        `${issuer}/.well-known/openid-configuration`,
        metadata.jwks_uri,
        metadata.token_endpoint,
        metadata.userinfo_endpoint,
        metadata.revocation_endpoint,
      ]),
    )
  })

  it('keep the query they have, at sign-out too [DIS-12]', async (t) => {
    const app = await start(t)
    app.provider.metadata.end_session_endpoint = `${app.provider.issuer}/end-session?a=1&b=%2F`
    const browser = await app.signedIn()
    const page = await browser.post(`${app.origin}/auth/sign-out`, {}, { follow: false })
    const url = new URL(page.headers.get('location') ?? '')
    assert.equal(url.searchParams.get('a'), '1')
    assert.equal(url.searchParams.get('b'), '/')
    assert.ok(url.searchParams.has('id_token_hint'))
  })
})

describe('signing keys', () => {
  it('may be rotated before every sign-in, twice within a second [DIS-6, IDT-12]', async (t) => {
    const app = await start(t)
    await assertSignInWorks(app)
    for (let time = 0; time < 2; time++) {
      await app.provider.rotateKeys()
      await assertSignInWorks(app)
    }
    assert.equal(app.provider.count('jwks'), 3)
  })

  it('need no names, one or several [IDT-13]', async (t) => {
    const app = await start(t)
    app.provider.keys.named = false
    await assertSignInWorks(app)
    await app.provider.rotateKeys({ keep: true })
    await assertSignInWorks(app)
  })

  it('are told from those for encryption, other algorithms, and weak ones [DIS-13]', async (t) => {
    const app = await start(t)
    app.provider.keys.named = false
    for (const kind of ['encryption', 'EC', 'weak RSA'] as const) await app.provider.keys.add(kind)
    await assertSignInWorks(app)
    const weak = app.provider.keys.published.at(-1)
    app.provider.next('id_token', (draft) => {
      draft.key = weak
    })
    const { path, cookie } = await arriving(app)
    assert.equal((await ask(app, path, { cookie })).status, 400)
  })

  it('that are known serve on while they cannot be asked for [DIS-9]', async (t) => {
    const app = await start(t)
    await assertSignInWorks(app)
    app.provider.next('jwks', { status: 503, json: {} }, { times: Infinity })
    app.clock.forward(12 * 3_600_000)
    await assertSignInWorks(app)
  })
})

describe('a logout token while keys cannot be had', () => {
  it('is answered 400, uses up nothing, and counts when it is sent again [DIS-10]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    app.clock.forward(1000)
    const token = await app.provider.logoutToken()
    const cold = app.another()
    app.provider.next('jwks', { status: 503, json: {} })
    assert.equal((await app.logout(token, cold)).status, 400)
    assert.equal(app.heard('logout_refused').at(-1)?.code, 'provider_unreachable')
    assert.ok(await app.auth.session(app.as(browser)))
    assert.equal((await app.logout(token, cold)).status, 200)
    assert.equal(await app.auth.session(app.as(browser)), undefined)
  })

  it('with an invented key costs no more than a few requests, and a true one counts among them [DIS-7]', async (t) => {
    const app = await start(t)
    const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
    app.clock.forward(1000)
    const before = app.provider.count('jwks')
    for (let count = 0; count < 300; count++) {
      const invented = await app.provider.logoutToken({ header: { kid: `invented-${count}` } })
      assert.equal((await app.logout(invented)).status, 400)
    }
    assert.ok(app.provider.count('jwks') - before <= 5)
    assert.equal((await app.logout(await app.provider.logoutToken())).status, 200)
    assert.equal(await app.auth.session(app.as(browser)), undefined)
  })
})

describe('what a provider announces about signing out', () => {
  it('is turned into what will not be heard of, in words [DIS-11]', async (t) => {
    const app = await start(t)
    const { warnings: few } = await app.auth.coverage()
    assert.equal(few.length, 1)
    const { metadata } = app.provider
    for (const name of [
      'backchannel_logout_supported',
      'frontchannel_logout_supported',
      'end_session_endpoint',
      'revocation_endpoint',
    ]) {
      delete metadata[name]
    }
    const { warnings } = await app.another().coverage()
    for (const word of [/back-channel/, /front-channel/, /end_session_endpoint/, /revocation/]) {
      assert.ok(
        warnings.some((sentence) => word.test(sentence)),
        String(word),
      )
    }
  })
})
