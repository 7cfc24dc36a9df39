import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import type { AuthOptions } from '#coatcheck'
import { breakSignature, type TokenDraft } from '#coatcheck/testing/provider/jwt'
import { generateKey } from '#coatcheck/testing/provider/keys'
import type { Application } from '../support/application.ts'
import { arriving, ask, cookiesIn, failures, sessionOf, start } from '../support/requests.ts'

type Change = (draft: TokenDraft, app: Application) => unknown

const LOGOUT = 'http://schemas.openid.net/event/backchannel-logout'

/** Each by the claims it lies about; functions know what the truth would have been. */
const REFUSED: [string, Change][] = [
  ['a slash behind the issuer [IDT-1, COR-15]', claim('iss', (iss) => `${iss}/`)],
  ['the issuer in capitals [IDT-1, COR-15]', claim('iss', (iss) => String(iss).toUpperCase())],
  ['another issuer [IDT-1, COR-15]', claim('iss', (iss) => `${iss}INVALID`)],
  ['no issuer [IDT-1, COR-15]', claim('iss', () => undefined)],
  ['a list of issuers [IDT-1, COR-15]', claim('iss', (iss) => [iss])],
  ['no audience [IDT-2, COR-15]', claim('aud', () => undefined)],
  ['an empty audience [IDT-2, COR-15]', claim('aud', () => [])],
  ['another audience [IDT-2, COR-15]', claim('aud', (aud) => `${aud}INVALID`)],
  ['a nested audience [IDT-2, COR-15]', claim('aud', (aud) => [[aud]])],
  ['an audience that is an object [IDT-2, COR-15]', claim('aud', () => ({ app: 1 }))],
  ['a second audience [IDT-3, COR-15]', claim('aud', (aud) => [aud, 'other'])],
  ['a second audience that is no text [IDT-3, COR-15]', claim('aud', (aud) => [aud, 1])],
  ['another authorized party [IDT-4, COR-15]', claim('azp', () => 'C9')],
  ['an authorized party that is a list [IDT-4, COR-15]', claim('azp', () => ['app'])],
  ['a broken signature [IDT-5, COR-15]', rewrite(breakSignature)],
  ['no signature [IDT-5, COR-15]', rewrite((jwt) => jwt.replace(/[^.]+$/, ''))],
  ['alg none [IDT-6, SEC-8, COR-15]', header({ alg: 'none' })],
  ['alg NONE [IDT-6, SEC-8, COR-15]', header({ alg: 'NONE' })],
  ['no alg [IDT-6, SEC-8, COR-15]', header({ alg: undefined })],
  ['nonce of another sign-in [COR-3, COR-15]', claim('nonce', (nonce) => `${nonce}1`)],
  ['no nonce [COR-3, COR-15]', claim('nonce', () => undefined)],
  ['a nonce that is a list [COR-3, COR-15]', claim('nonce', (nonce) => [nonce])],
  ['no exp [IDT-8, COR-15]', claim('exp', () => undefined)],
  ['exp as text [IDT-8, COR-15]', claim('exp', () => '1e99')],
  ['exp null [IDT-8, COR-15]', claim('exp', () => null)],
  ['exp beyond all numbers [IDT-8, COR-15]', text('"exp":1e999')],
  ['exp below zero [IDT-8, COR-15]', claim('exp', () => -1)],
  ['no iat [IDT-9, COR-15]', claim('iat', () => undefined)],
  ['iat as text [IDT-9, COR-15]', claim('iat', String)],
  ['iat in an hour [IDT-9, COR-15]', claim('iat', (iat) => Number(iat) + 3600)],
  ['iat a week ago [IDT-9, COR-15]', claim('iat', (iat) => Number(iat) - 604_800)],
  ['iat in milliseconds [IDT-9, COR-15]', claim('iat', (iat) => Number(iat) * 1000)],
  ['no sub [IDT-10, COR-15]', claim('sub', () => undefined)],
  ['an empty sub [IDT-10, COR-15]', claim('sub', () => '')],
  ['a numeric sub [IDT-10, COR-15]', claim('sub', () => 1)],
  ['a list as sub [IDT-10, COR-15]', claim('sub', () => ['U1'])],
  ['a sub of 256 characters [IDT-10, COR-15]', claim('sub', () => 'x'.repeat(256))],
  ['a sid that is a number', claim('sid', () => 7)],
  ['an empty sid', claim('sid', () => '')],
  ['another at_hash [IDT-11, COR-15]', claim('at_hash', () => 'A'.repeat(22))],
  ['an at_hash that is no text [IDT-11, COR-15]', claim('at_hash', () => true)],
  ['crit [IDT-15, COR-15]', header({ crit: ['exp'] })],
  ['b64 false [IDT-15, COR-15]', header({ b64: false })],
  ['typ of a logout token [IDT-16, COR-15]', header({ typ: 'logout+jwt' })],
  ['events [IDT-16, COR-15]', claim('events', () => ({ [LOGOUT]: {} }))],
  ['typ of an access token [IDT-16, COR-15]', header({ typ: 'at+jwt' })],
  ['a name twice', text('"sub":"U2","sub":"U1"')],
  ['auth_time that is no number', claim('auth_time', () => 'now')],
]

describe('a sign-in whose ID token has', () => {
  for (const [title, change] of REFUSED) {
    it(
      title.replace(/^(.*?)( \[.*)?$/, '$1 is refused before anything is kept or asked$2'),
      async (t) => {
        const app = await start(t, { userInfo: true })
        await assertRefused(app, change)
      },
    )
  }
})

it('refuses an ID token signed by another kind of key that the provider publishes [IDT-6, SEC-8]', async (t) => {
  const app = await start(t, { userInfo: true })
  await app.provider.keys.add('EC')
  await assertRefused(app, ({ header }, { provider }) => {
    Object.assign(header, { alg: 'ES256', kid: provider.keys.find('ES256')?.kid })
  })
})

it('never takes a public key for a secret [IDT-7, SEC-8]', async (t) => {
  const app = await start(t, { userInfo: true })
  const { publicKey } = app.provider.keys.current
  const secrets = [
    publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    publicKey.export({ format: 'der', type: 'spki' }).toString('latin1'),
    JSON.stringify(publicKey.export({ format: 'jwk' })),
    app.provider.clients.get('app')?.client_secret ?? assert.fail(),
  ]
  for (const secret of secrets) {
    await assertRefused(app, (draft) => {
      draft.header.alg = 'HS256'
      draft.rewrite = (jwt) => {
        const input = jwt.slice(0, jwt.lastIndexOf('.'))
        return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
      }
    })
  }
})

it('takes HS256 with the client secret where that was registered, and no other then [IDT-7]', async (t) => {
  const app = await start(t)
  const { issuer } = app.provider
  const secret = 'a client secret of thirty-two bytes or more'
  app.provider.register({
    client_id: 'app',
    client_secret: secret,
    origin: app.origin,
    id_token_signed_response_alg: 'HS256',
  })
  const auth = app.another({
    provider: { issuer, clientId: 'app', clientSecret: secret, idTokenSignedResponseAlg: 'HS256' },
  })
  assert.ok(await auth.session(app.as(await app.signedIn(undefined, auth))))
  app.provider.next('id_token', ({ header }, request) => {
    assert.ok(request)
    Object.assign(header, { alg: 'RS256', kid: app.provider.keys.current.kid })
  })
  const page = await app.browser(auth).get(`${app.origin}/auth/sign-in`)
  assert.equal(page.status, 400)
})

it('asks nobody for keys that the token brings along or points to [IDT-14, SEC-11, DIS-5]', async (t) => {
  const app = await start(t, { userInfo: true })
  const stranger = await generateKey('RSA', 'k1')
  const jwk = { ...stranger.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256' }
  const elsewhere = `${app.provider.issuer}/evil`
  for (const brought of [
    { jwk },
    { jku: elsewhere, kid: 'of the stranger' },
    { x5u: elsewhere },
    { x5c: ['MIIB'], x5t: 'x' },
    { kid: elsewhere },
    { iss: elsewhere, jwks_uri: elsewhere },
  ]) {
    await assertRefused(app, (draft) => {
      Object.assign(draft.header, brought)
      draft.key = stranger
    })
  }
  assert.equal(app.provider.count('unknown'), 0)
})

it('cannot be polluted by what a token is called inside [SEC-12]', async (t) => {
  const app = await start(t, { userInfo: true })
  const proto = '"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}'
  app.provider.next('id_token', (draft) => {
    draft.payloadText = (json) => json.replace('{', `{${proto},`)
  })
  app.provider.next('userinfo', (answer) => {
    answer.body = JSON.stringify(answer.json).replace('{', `{${proto},`)
  })
  const { path, cookie } = await arriving(app)
  const response = await ask(app, path, { cookie })
  assert.equal(response.status, 303)
  const ticket = cookiesIn(response).at(-1) ?? assert.fail()
  const session = await sessionOf(app, `${ticket.name}=${ticket.value}`)
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  assert.equal(session?.claims['polluted'], undefined)
  assert.equal(Object.getPrototypeOf(session?.claims), Object.prototype)
  assert.equal(Object.hasOwn(session?.claims ?? {}, '__proto__'), false)
})

it('takes an ID token with what the rules allow [IDT-2, IDT-4, IDT-10]', async (t) => {
  const allowed: Change[] = [
    ({ claims }) => Object.assign(claims, { aud: [claims.aud], azp: claims.aud }),
    ({ claims }) => Object.assign(claims, { aud: [claims.aud, claims.aud] }),
    ({ claims }) => Object.assign(claims, { sub: 'x'.repeat(255) }),
    ({ claims }) => Object.assign(claims, { at_hash: undefined, sid: undefined }),
    ({ claims }) => Object.assign(claims, { unknown: { deep: [1] }, exp: 9_999_999_999 }),
    ({ claims }) => Object.assign(claims, { iat: Number(claims.iat) + 0.5 }),
    ({ header }) => Object.assign(header, { typ: 'JWT' }),
    ({ header }) => Object.assign(header, { typ: 'application/jwt', cty: 'x' }),
  ]
  for (const change of allowed) {
    const app = await start(t)
    app.provider.next('id_token', (draft) => change(draft, app))
    assert.ok(await app.auth.session(app.as(await app.signedIn())), String(change))
  }
})

it('takes a second audience that is trusted, and that one only [IDT-3]', async (t) => {
  const app = await start(t)
  const { issuer } = app.provider
  const auth = app.another({
    provider: { issuer, clientId: 'app', trustedAudiences: ['https://api.example'] },
  })
  for (const [aud, status] of [
    [['app', 'https://api.example'], 303],
    [['app', 'https://api.example/'], 400],
    [['https://api.example'], 400],
  ] as const) {
    app.provider.next('id_token', ({ claims }) => {
      claims.aud = aud
    })
    const { path, cookie } = await arriving(app, '', { auth })
    assert.equal((await ask(app, path, { cookie, auth })).status, status)
  }
})

it('tells users apart to the last bit of their names [IDT-10]', async (t) => {
  const app = await start(t)
  for (const sub of ['Ｕ1', 'U1', 'u1', 'U1 ', ' U1', 'é', 'e\u0301']) {
    const browser = await app.signedIn({ sub, sid: null })
    assert.equal((await app.auth.session(app.as(browser)))?.subject, sub)
    assert.equal((await app.auth.sessions({ subject: sub })).length, 1)
  }
})

describe('what the application asked for', () => {
  const rows: [string, string, Change, number][] = [
    ['a sign-in just now', 'max_age=60', ago(0), 303],
    ['a sign-in 30 seconds ago', 'max_age=60', ago(30), 303],
    ['the last second of max_age and skew', 'max_age=60', ago(120), 303],
    ['a second more', 'max_age=60', ago(121.001), 400],
    ['no auth_time', 'max_age=60', claim('auth_time', () => undefined), 400],
    ['an auth_time that is text', 'max_age=60', claim('auth_time', String), 400],
    ['an auth_time to come', 'max_age=60', ago(-61.001), 400],
    ['max_age 0 and a new sign-in', 'max_age=0', ago(0), 303],
    ['max_age 0 and an old one', 'max_age=0', ago(61.001), 400],
    ['no max_age and an old sign-in', '', ago(86_400), 303],
  ]
  for (const [title, query, change, status] of rows) {
    it(`is held against auth_time: ${title} is answered ${status} [COR-16]`, async (t) => {
      const app = await start(t)
      app.provider.next('id_token', (draft) => change(draft, app))
      const { path, cookie } = await arriving(app, query)
      assert.equal((await ask(app, path, { cookie })).status, status)
    })
  }

  it('is held against auth_time also where the application asks it of everybody [COR-16]', async (t) => {
    const app = await start(t, { authorizationParameters: { max_age: '60' } })
    app.provider.next('id_token', (draft) => ago(3600)(draft, app))
    const { path, cookie } = await arriving(app)
    assert.equal((await ask(app, path, { cookie })).status, 400)
  })

  for (const [acr, status] of [
    ['urn:mfa', 303],
    ['urn:pin', 303],
    ['urn:pwd', 400],
    [undefined, 400],
    [['urn:mfa'], 400],
    ['urn:mfa urn:pin', 400],
    ['', 400],
  ] as const) {
    it(`is held against acr: ${JSON.stringify(acr)} is answered ${status} [COR-17]`, async (t) => {
      const app = await start(t)
      app.provider.next('id_token', ({ claims }) => {
        claims.acr = acr
      })
      const { path, cookie } = await arriving(app, { acr_values: 'urn:mfa  urn:pin' })
      assert.equal((await ask(app, path, { cookie })).status, status)
    })
  }
})

describe('clocks that differ', () => {
  // Seconds by which the provider's times are off, and whether that still signs in.
  const rows: [string, Partial<NonNullable<AuthOptions['provider']>>, Change, number][] = [
    ['exp 60 s ago', {}, times({ exp: -60 }), 400],
    ['exp 59.999 s ago', {}, times({ exp: -59.999 }), 303],
    ['exp 61 s ago [IDT-8]', {}, times({ exp: -61 }), 400],
    ['iat 60 s ahead', {}, times({ iat: 60, exp: 360 }), 303],
    ['iat 61 s ahead [IDT-9]', {}, times({ iat: 61, exp: 361 }), 400],
    ['iat a day ago', {}, times({ iat: -86_399 }), 303],
    ['iat more than a day ago', {}, times({ iat: -86_401 }), 400],
    ['exp 1 s ago and no skew allowed', { clockSkewSeconds: 0 }, times({ exp: -1 }), 400],
    ['exp in 1 s and no skew allowed', { clockSkewSeconds: 0 }, times({ exp: 1 }), 303],
    ['iat 1 s ahead and no skew allowed', { clockSkewSeconds: 0 }, times({ iat: 1 }), 400],
    [
      'exp 299 s ago and five minutes allowed',
      { clockSkewSeconds: 300 },
      times({ exp: -299 }),
      303,
    ],
    [
      'exp 300 s ago and five minutes allowed',
      { clockSkewSeconds: 300 },
      times({ exp: -300 }),
      400,
    ],
    [
      'iat 300 s ahead and five minutes allowed',
      { clockSkewSeconds: 300 },
      times({ iat: 300 }),
      303,
    ],
  ]
  for (const [title, options, change, status] of rows) {
    const [name, row = ''] = title.split(' [')
    const tag = row === '' ? '' : ` [${row}`
    it(`are ${status === 303 ? 'forgiven' : 'not forgiven'}: ${name}${tag}`, async (t) => {
      const app = await start(t)
      const { issuer } = app.provider
      const auth = app.another({ provider: { issuer, clientId: 'app', ...options } })
      app.provider.next('id_token', (draft) => change(draft, app))
      const { path, cookie } = await arriving(app, '', { auth })
      assert.equal((await ask(app, path, { cookie, auth })).status, status)
    })
  }
})

/** Refused with the one code; no session, no cookie, no UserInfo, and the next sign-in is not hurt. */
async function assertRefused(app: Application, change: Change): Promise<void> {
  const before = failures(app).length
  app.provider.user = { sub: 'U1', sid: 'S1' }
  app.provider.next('id_token', (draft) => change(draft, app))
  const { path, cookie } = await arriving(app)
  const response = await ask(app, path, { cookie })
  assert.equal(response.status, 400)
  assert.deepEqual(failures(app).slice(before), ['id_token_invalid'])
  assert.ok(cookiesIn(response).every(({ value }) => value === ''))
  assert.equal(app.provider.count('userinfo'), 0)
  assert.deepEqual(await app.auth.sessions({ subject: 'U1' }), [])
  assert.deepEqual(app.heard('signed_in'), [])
}

function claim(name: string, change: (value: unknown) => unknown): Change {
  return ({ claims }) => {
    claims[name] = change(claims[name])
  }
}

function header(changes: Record<string, unknown>): Change {
  return (draft) => Object.assign(draft.header, changes)
}

function rewrite(change: (jwt: string) => string): Change {
  return (draft) => {
    draft.rewrite = change
  }
}

/** Members as text in place of those of the same name. */
function text(members: string): Change {
  const name = /"(\w+)"/.exec(members)?.[1] ?? ''
  return (draft) => {
    draft.payloadText = (json) => json.replace(new RegExp(`"${name}":("[^"]*"|[^,}]*)`), members)
  }
}

/** `auth_time` so many seconds ago, by our clock. */
function ago(seconds: number): Change {
  return ({ claims }, { clock }) => {
    claims.auth_time = clock.now() / 1000 - seconds
  }
}

/** Times by our clock, give or take. */
function times(offsets: { readonly exp?: number; readonly iat?: number }): Change {
  return ({ claims }, { clock }) => {
    for (const [name, offset] of Object.entries(offsets)) claims[name] = clock.now() / 1000 + offset
  }
}
