import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  arriving,
  ask,
  assertSignInWorks,
  cookiesIn,
  failures,
  start,
} from '../support/requests.ts'

describe('UserInfo at sign-in', () => {
  it('is asked with the access token in the header, and its claims are added [COR-19]', async (t) => {
    const app = await start(t, { userInfo: true })
    const browser = await app.signedIn({ sub: 'U1' })
    const session = await app.auth.session(app.as(browser))
    assert.equal(session?.claims['email'], 'U1@provider.test')
    const { value } = await app.auth.accessToken(app.as(browser))
    const asked = await app.provider.received('userinfo')
    assert.equal(asked.headers.get('authorization'), `Bearer ${value}`)
    assert.equal(asked.url, app.provider.metadata.userinfo_endpoint)
  })

  it('is not asked where it is not wanted', async (t) => {
    const app = await start(t)
    await assertSignInWorks(app)
    assert.equal(app.provider.count('userinfo'), 0)
  })

  it('cannot change what the ID token says', async (t) => {
    const app = await start(t, { userInfo: true })
    const lies = { iss: 'https://evil.example', aud: 'C9', sid: 'S9', nonce: 'x', exp: 9e9 }
    app.provider.next('userinfo', ({ json }) => Object.assign(json, lies, { nickname: 'ada' }))
    const session = await app.auth.session(app.as(await app.signedIn({ sub: 'U1', sid: 'S1' })))
    assert.equal(session?.sid, 'S1')
    assert.equal(session?.claims['nickname'], 'ada')
    for (const [name, lie] of Object.entries(lies)) assert.notEqual(session?.claims[name], lie)
  })

  for (const sub of ['U2', 'u1', 'U1 ', '', 1, null, ['U1'], undefined]) {
    it(`about ${JSON.stringify(sub)} is not used, and nobody is signed in [COR-18]`, async (t) => {
      const app = await start(t, { userInfo: true })
      app.provider.user = { sub: 'U1', sid: 'S1' }
      app.provider.next('userinfo', ({ json }) => {
        json['sub'] = sub
      })
      const { path, cookie } = await arriving(app)
      const response = await ask(app, path, { cookie })
      assert.equal(response.status, 400)
      assert.ok(cookiesIn(response).every(({ value }) => value === ''))
      assert.deepEqual(failures(app), ['userinfo_invalid'])
      assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
      await assertSignInWorks(app)
    })
  }

  for (const [title, answer, code, status] of [
    ['is not there', { status: 404, json: {} }, 'provider_invalid', 502],
    ['is down', { status: 503, json: {} }, 'provider_unreachable', 503],
    ['refuses', { status: 401, json: { error: 'invalid_token' } }, 'provider_refused', 502],
    [
      'answers with a signed text',
      { body: 'a.b.c', headers: { 'content-type': 'application/jwt' } },
      'provider_invalid',
      502,
    ],
    [
      'redirects',
      { status: 302, headers: { location: 'https://evil.example/' } },
      'provider_invalid',
      502,
    ],
    ['hangs up', { wire: 'drop' }, 'provider_unreachable', 503],
    ['breaks off', { json: { sub: 'U1' }, wire: 'cut' }, 'provider_unreachable', 503],
    ['does not end', { body: '{"sub":"U1"}', wire: 'endless' }, 'provider_invalid', 502],
  ] as const) {
    it(`that ${title} is told as ${code}, and the next sign-in works`, async (t) => {
      const app = await start(t, { userInfo: true })
      app.provider.user = { sub: 'U1', sid: 'S1' }
      app.provider.next('userinfo', answer as object)
      const { path, cookie } = await arriving(app)
      assert.equal((await ask(app, path, { cookie })).status, status)
      assert.deepEqual(failures(app), [code])
      assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
      await assertSignInWorks(app)
    })
  }
})
