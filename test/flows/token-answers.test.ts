import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AuthErrorCode } from '#coatcheck'
import {
  arriving,
  ask,
  assertSignInWorks,
  cookiesIn,
  failures,
  start,
} from '../support/requests.ts'

describe('an answer of the token endpoint', () => {
  for (const token_type of ['Bearer', 'bearer', 'BEARER', 'bEARER']) {
    it(`may call its token ${token_type}, and hands it out as Bearer [COR-13]`, async (t) => {
      const app = await start(t)
      app.provider.next('token', ({ json }) => Object.assign(json, { token_type, unknown: [1] }))
      const browser = await app.signedIn()
      assert.equal((await app.auth.accessToken(app.as(browser))).tokenType, 'Bearer')
    })
  }

  it('may not say how long its token lives: an hour is assumed [COR-14]', async (t) => {
    const app = await start(t)
    app.provider.next('token', ({ json }) => delete json['expires_in'])
    const browser = await app.signedIn()
    const { expiresAt } = await app.auth.accessToken(app.as(browser))
    assert.equal(expiresAt, app.clock.now() + 3_600_000)
  })

  it('may come without a refresh token: the session lives, and its token until it ends', async (t) => {
    const app = await start(t)
    app.provider.settings.refreshTokens = 'never'
    const browser = await app.signedIn()
    assert.ok((await app.auth.accessToken(app.as(browser))).value)
    app.clock.forward(301_000)
    await assert.rejects(app.auth.accessToken(app.as(browser)), { code: 'sign_in_required' })
    assert.ok(await app.auth.session(app.as(browser)))
  })

  const refused: [string, object, AuthErrorCode, number][] = [
    ['calls its token mac [COR-13]', { token_type: 'mac' }, 'provider_invalid', 502],
    ['calls its token DPoP [COR-13]', { token_type: 'DPoP' }, 'provider_invalid', 502],
    ['does not call it anything [COR-13]', { token_type: undefined }, 'provider_invalid', 502],
    ['has no access token', { access_token: undefined }, 'provider_invalid', 502],
    ['has an empty access token', { access_token: '' }, 'provider_invalid', 502],
    ['has a token with a line end', { access_token: 'a\r\nb' }, 'provider_invalid', 502],
    ['has a token that is an object', { access_token: { a: 1 } }, 'provider_invalid', 502],
    ['has a refresh token that is a number', { refresh_token: 7 }, 'provider_invalid', 502],
    ['has no ID token', { id_token: undefined }, 'provider_invalid', 502],
    ['has an ID token that is a number', { id_token: 7 }, 'provider_invalid', 502],
    ['has an ID token that is none', { id_token: 'x' }, 'id_token_invalid', 400],
    ['has an ID token of five parts', { id_token: 'a.b.c.d.e' }, 'id_token_invalid', 400],
    [
      'has an endless ID token',
      { id_token: `a.${'b'.repeat(200_000)}.c` },
      'id_token_invalid',
      400,
    ],
    ['lives for words', { expires_in: 'soon' }, 'provider_invalid', 502],
    ['lives for less than nothing', { expires_in: -1 }, 'provider_invalid', 502],
  ]
  for (const [title, change, code, status] of refused) {
    const [, words = '', tag = ''] = /^(.*?)( \[.*)?$/.exec(title) ?? []
    it(`that ${words} signs nobody in, and the next sign-in works${tag}`, async (t) => {
      const app = await start(t, { userInfo: true })
      app.provider.next('token', ({ json }) => Object.assign(json, change))
      await assertFails(app, code, status)
    })
  }

  const broken: [string, object, AuthErrorCode, number][] = [
    ['is an error', { status: 400, json: { error: 'invalid_grant' } }, 'provider_refused', 502],
    [
      'is a web page',
      { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } },
      'provider_invalid',
      502,
    ],
    ['is a list', { body: '[]' }, 'provider_invalid', 502],
    ['is too busy', { status: 429, json: {} }, 'provider_unreachable', 503],
    ['is out of order', { status: 502, body: 'x' }, 'provider_unreachable', 503],
    ['never comes', { wire: 'drop' }, 'provider_unreachable', 503],
    ['breaks off', { json: { access_token: 'x' }, wire: 'cut' }, 'provider_unreachable', 503],
    ['never ends', { body: '{}', wire: 'endless' }, 'provider_invalid', 502],
    [
      'leads elsewhere',
      { status: 307, headers: { location: 'https://evil.example/' } },
      'provider_invalid',
      502,
    ],
  ]
  for (const [title, answer, code, status] of broken) {
    it(`that ${title} is told as ${code}, and the next sign-in works`, async (t) => {
      const app = await start(t, { userInfo: true })
      app.provider.next('token', answer)
      await assertFails(app, code, status)
    })
  }
})

async function assertFails(
  app: Awaited<ReturnType<typeof start>>,
  code: AuthErrorCode,
  status: number,
): Promise<void> {
  app.provider.user = { sub: 'U1', sid: 'S1' }
  const { path, cookie } = await arriving(app)
  const response = await ask(app, path, { cookie })
  assert.equal(response.status, status)
  assert.ok(cookiesIn(response).every(({ value }) => value === ''))
  assert.deepEqual(failures(app), [code])
  assert.equal(app.provider.count('userinfo'), 0)
  assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
  await assertSignInWorks(app)
}
