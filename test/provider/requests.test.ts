import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { compactVerify, decodeJwt, decodeProtectedHeader, generateKeyPair } from 'jose'
import type { ProviderOptions } from '#coatcheck/core/provider/options'
import type { Provider, TokenSet } from '#coatcheck/core/provider/types'
import { AuthError, type AuthErrorCode, ProviderError } from '#coatcheck/errors'
import {
  type Clock,
  client,
  idClaims,
  type SigningKey,
  type SmallProvider,
  second,
  sign,
  signingKey,
  startClock,
  startSmallProvider,
} from './small-provider.ts'

let provider: SmallProvider
let clock: Clock
let key: SigningKey

beforeEach(async () => {
  key ??= await signingKey('k1')
  provider = await startSmallProvider()
  provider.keys = [key.jwk]
  const idToken = await sign(key, idClaims(provider))
  provider.routes['/token'] = () => ({
    body: { access_token: 'a1', token_type: 'Bearer', expires_in: 60, id_token: idToken },
  })
  clock = startClock()
})
afterEach(() => provider.close())

function ours(options: Partial<ProviderOptions> = {}): Provider {
  return client(provider, clock, options)
}

function exchange(
  query: Record<string, string> | URLSearchParams = { code: 'c1', state: 's' },
  options: Partial<ProviderOptions> = {},
  resources: string[] = [],
): Promise<TokenSet> {
  return ours(options).exchangeCode(new URLSearchParams(query), {
    redirectUri: 'https://app.example/auth/callback?x=1',
    verifier: 'v1',
    resources,
    expect: { nonce: 'n1', maxAge: undefined, acrValues: [] },
  })
}

function refresh(
  changes: Partial<Parameters<Provider['refresh']>[1]> = {},
  options: Partial<ProviderOptions> = {},
): Promise<TokenSet> {
  return ours(options).refresh('r1', {
    resources: [],
    scope: undefined,
    claims: undefined,
    expect: { subject: 'U1', nonce: undefined, authTime: undefined },
    ...changes,
  })
}

function answer(changes: Record<string, unknown>, rest: object = {}): void {
  const good = provider.routes['/token']
  provider.routes['/token'] = async (seen) => {
    const { body } = (await good?.(seen)) ?? {}
    return { body: { ...(body as object), ...changes }, ...rest }
  }
}

async function failsWith(code: AuthErrorCode, work: Promise<unknown>): Promise<AuthError> {
  const error: unknown = await work.then(
    () => assert.fail('it should have failed'),
    (error) => error,
  )
  assert.ok(error instanceof AuthError, String(error))
  assert.equal(error.code, code, error.message)
  return error
}

const last = (path: string) => provider.seen.filter((seen) => seen.path === path).at(-1)

describe('the exchange of a code', () => {
  it('posts code, redirect URI and verifier with our credentials [COR-11]', async () => {
    const tokens = await exchange()
    const seen = last('/token')
    assert.equal(seen?.method, 'POST')
    assert.match(seen?.headers['content-type'] ?? '', /^application\/x-www-form-urlencoded/)
    assert.deepEqual(Object.fromEntries(seen?.form ?? []), {
      grant_type: 'authorization_code',
      code: 'c1',
      redirect_uri: 'https://app.example/auth/callback?x=1',
      code_verifier: 'v1',
    })
    assert.equal(tokens.accessToken, 'a1')
    assert.equal(tokens.expiresAt, (second + 60) * 1000)
    assert.equal(tokens.scope, undefined)
    assert.equal(tokens.refreshToken, undefined)
  })

  it('ignores parameters that it does not know [COR-8]', async () => {
    assert.ok(await exchange({ code: 'c1', session_state: 'x', foo: 'bar' }))
  })

  it('names each resource in a parameter of its own [TOK-13]', async () => {
    const resources = ['https://api.example/a', 'urn:b']
    await exchange({ code: 'c1' }, {}, resources)
    assert.deepEqual(last('/token')?.form.getAll('resource'), resources)
    for (const resource of ['https://api.example/#x', 'https://api.example/#', '/a', '']) {
      await failsWith('request_invalid', exchange({ code: 'c1' }, {}, [resource]))
    }
    assert.equal(provider.count('/token'), 1)
  })

  it('does not send the code where another issuer is named [COR-6] [OAU-1]', async () => {
    const named = [
      { code: 'c1', iss: 'https://op2.test' },
      { code: 'c1', iss: `${provider.issuer}/` },
      { code: 'c1', iss: '' },
      { error: 'access_denied', iss: 'https://op2.test' },
    ]
    for (const query of named) await failsWith('issuer_mismatch', exchange(query))
    assert.equal(provider.count('/token'), 0)
    assert.ok(await exchange({ code: 'c1', iss: provider.issuer }))
  })

  it('needs the issuer where the provider promises to name it [OAU-2]', async () => {
    provider.metadata['authorization_response_iss_parameter_supported'] = true
    await failsWith('issuer_mismatch', exchange())
    await failsWith('issuer_mismatch', exchange({ error: 'access_denied' }))
    assert.equal(provider.count('/token'), 0)
    assert.ok(await exchange({ code: 'c1', iss: provider.issuer }))
  })

  it('does not happen for an error, nor for anything said twice or not at all', async () => {
    const error = await failsWith(
      'sign_in_refused',
      exchange({ error: 'access_denied', error_description: '<script>' }),
    )
    assert.ok(error instanceof ProviderError)
    assert.equal(error.error, 'access_denied')
    assert.equal(error.error_description, '<script>')
    assert.ok(!error.message.includes('<'))
    for (const query of ['code=a&code=b', 'code=a&iss=x&iss=y', 'state=x', 'code=']) {
      await failsWith('request_invalid', exchange(new URLSearchParams(query)))
    }
    assert.equal(provider.count('/token'), 0)
  })

  it('waits until the keys are there, so that no code is spent in vain [COR-15]', async () => {
    provider.routes['/keys'] = () => ({ status: 503 })
    await failsWith('provider_unreachable', exchange())
    assert.equal(provider.count('/token'), 0)
  })

  it('needs an ID token', async () => {
    answer({ id_token: undefined })
    await failsWith('provider_invalid', exchange())
  })
})

describe('a refresh', () => {
  it('sends the refresh token, what is wanted, and our credentials [TOK-1]', async () => {
    answer({ refresh_token: 'r2', scope: 'openid a', id_token: undefined })
    const tokens = await refresh({
      scope: 'a b',
      claims: '{"access_token":{}}',
      resources: ['https://api.example/'],
    })
    assert.equal(tokens.refreshToken, 'r2')
    assert.equal(tokens.scope, 'openid a')
    assert.equal(tokens.idToken, undefined)
    assert.deepEqual(Object.fromEntries(last('/token')?.form ?? []), {
      grant_type: 'refresh_token',
      refresh_token: 'r1',
      scope: 'a b',
      claims: '{"access_token":{}}',
      resource: 'https://api.example/',
    })
  })

  it('asks for nothing that was not wanted [TOK-1]', async () => {
    await refresh()
    const names = [...(last('/token')?.form.keys() ?? [])]
    assert.deepEqual(names.sort(), ['grant_type', 'refresh_token'])
  })
})

describe('an answer of the token endpoint', () => {
  for (const type of ['bearer', 'BEARER', 'bEARER']) {
    it(`may spell its type ${type} [COR-13]`, async () => {
      answer({ token_type: type, unknown_member: { x: 1 } })
      assert.equal((await exchange()).tokenType, 'Bearer')
    })
  }

  const lifetimes: [unknown, number][] = [
    [undefined, 3600],
    ['90', 90],
    ['1.5', 1.5],
    [0, 0],
    [1e300, 315_360_000],
  ]
  for (const [value, seconds] of lifetimes) {
    it(`may say that it lives for ${value} seconds [COR-14]`, async () => {
      answer({ expires_in: value })
      assert.equal((await exchange()).expiresAt, (second + seconds) * 1000)
    })
  }

  const malformed: [string, Record<string, unknown>][] = [
    ['type mac [COR-13]', { token_type: 'mac' }],
    ['no type [COR-13]', { token_type: undefined }],
    ['no access token', { access_token: undefined }],
    ['an empty access token', { access_token: '' }],
    ['an access token with a line break', { access_token: 'a\r\nb' }],
    ['a refresh token that is a number', { refresh_token: 1 }],
    ['an ID token that is an object', { id_token: {} }],
    ['an empty ID token', { id_token: '' }],
    ['a scope that is a list', { scope: ['a'] }],
    ['a negative lifetime [COR-14]', { expires_in: -1 }],
    ['a lifetime that is words [COR-14]', { expires_in: 'soon' }],
    ['a lifetime that is null [COR-14]', { expires_in: null }],
  ]
  for (const [title, changes] of malformed) {
    it(`is refused with ${title}`, async () => {
      answer(changes)
      const error = await failsWith('provider_invalid', refresh())
      assert.ok(!error.message.includes('a1'))
    })
  }

  it('keeps what the provider said when it refuses', async () => {
    provider.routes['/token'] = () => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'gone' },
    })
    const error = await failsWith('provider_refused', refresh())
    assert.ok(error instanceof ProviderError)
    assert.equal(error.status, 400)
    assert.equal(error.error, 'invalid_grant')
    assert.equal(error.error_description, 'gone')
    assert.equal(error.message, 'The token endpoint refused: invalid_grant')
  })

  it('is surfaced when the resource is not one the provider knows [TOK-13]', async () => {
    provider.routes['/token'] = () => ({ status: 400, body: { error: 'invalid_target' } })
    const error = await failsWith('provider_refused', refresh())
    assert.equal((error as ProviderError).error, 'invalid_target')
  })

  it('keeps the error also beside a challenge', async () => {
    provider.routes['/token'] = () => ({
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="x"' },
      body: { error: 'invalid_client' },
    })
    const error = await failsWith('provider_refused', refresh())
    assert.equal((error as ProviderError).error, 'invalid_client')
  })

  it('says what to compare where the provider does not know the client or its secret', async () => {
    provider.routes['/token'] = () => ({ status: 401, body: { error: 'invalid_client' } })
    const { message } = await failsWith('provider_refused', refresh())
    assert.match(message, /invalid_client \(compare `provider\.clientId`, `provider\.clientSecret`/)
  })

  for (const status of [429, 500, 502, 503, 504]) {
    it(`means "not now" with status ${status} [TOK-5]`, async () => {
      provider.routes['/token'] = () => ({
        status,
        headers: { 'retry-after': '7', 'content-type': 'text/html' },
        body: '<html>',
      })
      const error = await failsWith('provider_unreachable', refresh())
      assert.ok(error instanceof ProviderError)
      assert.equal(error.status, status)
      assert.equal(error.retryAt, (second + 7) * 1000)
    })
  }

  const nonsense: [string, object][] = [
    ['a redirect', { status: 307, headers: { location: '/evil' } }],
    ['a web page', { body: '<html>', headers: { 'content-type': 'text/html' } }],
    ['a refusal without a reason', { status: 403, body: 'no' }],
    ['a body of two megabytes', { body: 'x'.repeat(2_000_000) }],
    ['a list', { body: [] }],
  ]
  for (const [title, given] of nonsense) {
    it(`makes no sense as ${title}`, async () => {
      provider.routes['/token'] = () => given
      await failsWith('provider_invalid', refresh())
      assert.equal(provider.count('/evil'), 0)
    })
  }

  it('is waited for ten seconds, twice as long as any other', async () => {
    const limits: number[] = []
    const patient = startClock({
      wait: (milliseconds, signal) => {
        limits.push(milliseconds)
        if (milliseconds === 10_000) return Promise.resolve()
        return new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))
      },
    })
    provider.routes['/token'] = () => new Promise(() => {})
    const waiting = client(provider, patient).refresh('r1', {
      resources: [],
      scope: undefined,
      claims: undefined,
      expect: { subject: 'U1', nonce: undefined, authTime: undefined },
    })
    const error = await failsWith('provider_unreachable', waiting)
    assert.match(error.message, /within 10000 ms/)
    assert.deepEqual(limits, [5000, 5000, 10_000])
  })
})

describe('client authentication', () => {
  it('encodes id and secret before they go into the header [COR-12]', async () => {
    answer({ id_token: undefined })
    await refresh({}, { clientId: 'a:b c', clientSecret: 'p@:%+ ü' })
    const header = last('/token')?.headers.authorization ?? ''
    const decoded = Buffer.from(header.replace('Basic ', ''), 'base64').toString()
    const [id, secret, ...rest] = decoded.split(':')
    assert.deepEqual(rest, [])
    const decode = (text = '') => decodeURIComponent(text.replaceAll('+', ' '))
    assert.equal(decode(id), 'a:b c')
    assert.equal(decode(secret), 'p@:%+ ü')
    assert.equal(last('/token')?.form.get('client_secret'), null)
  })

  it('can send them in the body', async () => {
    await refresh({}, { clientAuthentication: 'client_secret_post', clientSecret: 'p@:%+ ü' })
    assert.equal(last('/token')?.headers.authorization, undefined)
    assert.equal(last('/token')?.form.get('client_id'), 'C1')
    assert.equal(last('/token')?.form.get('client_secret'), 'p@:%+ ü')
  })

  it('can sign an assertion that is for the issuer alone, once, for a minute [OAU-8]', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const clientAuthentication = { privateKeyJwt: privateKey, kid: 'c1' }
    const signing = ours({ clientAuthentication })
    provider.routes['/revoke'] = () => ({})
    await signing.revoke('t', 'refresh_token')
    const first = last('/revoke')?.form.get('client_assertion') ?? ''
    await signing.revoke('t', 'refresh_token')
    const again = last('/revoke')?.form.get('client_assertion') ?? ''
    await compactVerify(first, publicKey)
    assert.deepEqual(decodeProtectedHeader(first), {
      alg: 'ES256',
      kid: 'c1',
      typ: 'client-authentication+jwt',
    })
    const { jti, ...claims } = decodeJwt(first)
    assert.deepEqual(claims, {
      iss: 'C1',
      sub: 'C1',
      aud: provider.issuer,
      iat: second,
      exp: second + 60,
    })
    assert.notEqual(decodeJwt(again).jti, jti)
    assert.equal(
      last('/revoke')?.form.get('client_assertion_type'),
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    )
    assert.equal(last('/revoke')?.headers.authorization, undefined)
  })
})

describe('an authorization request', () => {
  const asked = {
    scope: 'openid',
    redirect_uri: 'https://app.example/auth/callback',
    resource: ['https://api.example/a', 'https://api.example/b'],
  }

  it('goes in the URL, beside what the endpoint already says [COR-1] [TOK-13]', async () => {
    provider.metadata['authorization_endpoint'] = `${provider.issuer}/authorize?tenant=1`
    const url = await ours().authorizationUrl(asked)
    assert.equal(url.pathname, '/authorize')
    assert.deepEqual(
      [...url.searchParams],
      [
        ['tenant', '1'],
        ['scope', 'openid'],
        ['redirect_uri', 'https://app.example/auth/callback'],
        ['resource', 'https://api.example/a'],
        ['resource', 'https://api.example/b'],
        ['client_id', 'C1'],
        ['response_type', 'code'],
      ],
    )
    assert.equal(provider.count('/par'), 0)
  })

  it('cannot be replaced by one that somebody else wrote [OAU-4]', async () => {
    for (const name of ['request', 'request_uri']) {
      const error = await failsWith('request_invalid', ours().authorizationUrl({ [name]: 'x' }))
      assert.ok(error.message.startsWith(name))
    }
    const url = await ours().authorizationUrl({ client_id: 'C9', response_type: 'token' })
    assert.deepEqual(url.searchParams.getAll('client_id'), ['C1'])
    assert.deepEqual(url.searchParams.getAll('response_type'), ['code'])
  })

  it('is pushed, each anew, where the provider requires it [OAU-4] [OAU-5] [OAU-6]', async () => {
    provider.metadata['require_pushed_authorization_requests'] = true
    let number = 0
    provider.routes['/par'] = () => ({
      status: 201,
      body: { request_uri: `urn:ietf:params:oauth:request_uri:${++number}`, expires_in: 60 },
    })
    const pushing = ours()
    for (const expected of [1, 2]) {
      const url = await pushing.authorizationUrl(asked)
      assert.deepEqual(
        [...url.searchParams],
        [
          ['client_id', 'C1'],
          ['request_uri', `urn:ietf:params:oauth:request_uri:${expected}`],
        ],
      )
    }
    const seen = last('/par')
    assert.equal(seen?.method, 'POST')
    assert.match(seen?.headers.authorization ?? '', /^Basic /)
    assert.deepEqual(seen?.form.getAll('resource'), asked.resource)
    assert.equal(seen?.form.get('response_type'), 'code')
    assert.equal(seen?.form.get('client_id'), 'C1')
    assert.equal(seen?.form.has('request_uri'), false)
  })

  it('is pushed where the options ask for it [OAU-6]', async () => {
    provider.routes['/par'] = () => ({ status: 201, body: { request_uri: 'urn:x', expires_in: 9 } })
    const url = await ours({ pushedAuthorizationRequests: true }).authorizationUrl(asked)
    assert.equal(url.searchParams.get('request_uri'), 'urn:x')
  })

  it('fails clearly where it must be pushed and cannot be [OAU-6]', async () => {
    provider.metadata['pushed_authorization_request_endpoint'] = undefined
    provider.metadata['require_pushed_authorization_requests'] = true
    const error = await failsWith('provider_invalid', ours().authorizationUrl(asked))
    assert.match(error.message, /pushed/)
  })

  it('is not sent on when the push was refused', async () => {
    provider.routes['/par'] = () => ({ status: 400, body: { error: 'invalid_request' } })
    const pushing = ours({ pushedAuthorizationRequests: true })
    await failsWith('provider_refused', pushing.authorizationUrl(asked))
    provider.routes['/par'] = () => ({ status: 201, body: {} })
    await failsWith('provider_invalid', pushing.authorizationUrl(asked))
  })
})

describe('UserInfo', () => {
  it('is asked with the token in the header, never in the URL [COR-19]', async () => {
    provider.routes['/userinfo'] = () => ({ body: { sub: 'U1', email: 'a@b.example' } })
    const claims = await ours().userInfo('a1', 'U1')
    assert.deepEqual(claims, { sub: 'U1', email: 'a@b.example' })
    assert.equal(last('/userinfo')?.headers.authorization, 'Bearer a1')
    assert.equal(last('/userinfo')?.method, 'GET')
  })

  for (const sub of ['U2', 'u1', 'U1 ', '', null, undefined, ['U1']]) {
    it(`is not used when it is about ${JSON.stringify(sub)} [COR-18]`, async () => {
      provider.routes['/userinfo'] = () => ({ body: { sub, email: 'a@b.example' } })
      await failsWith('userinfo_invalid', ours().userInfo('a1', 'U1'))
    })
  }

  it('cannot pollute a prototype [SEC-12]', async () => {
    provider.routes['/userinfo'] = () => ({ body: '{"sub":"U1","__proto__":{"polluted":1}}' })
    const copy = Object.assign({}, await ours().userInfo('a1', 'U1')) as Record<string, unknown>
    assert.equal(copy['polluted'], undefined)
  })

  it('is refused where it is no plain JSON, or not there at all', async () => {
    provider.routes['/userinfo'] = () => ({
      headers: { 'content-type': 'application/jwt' },
      body: 'a.b.c',
    })
    await failsWith('provider_invalid', ours().userInfo('a1', 'U1'))
    provider.metadata['userinfo_endpoint'] = undefined
    await failsWith('provider_invalid', ours().userInfo('a1', 'U1'))
  })

  it('tells why the token was not good enough', async () => {
    provider.routes['/userinfo'] = () => ({
      status: 401,
      body: '',
      headers: { 'www-authenticate': 'Bearer realm="x", error="invalid_token"' },
    })
    const error = await failsWith('provider_refused', ours().userInfo('a1', 'U1'))
    assert.equal((error as ProviderError).error, 'invalid_token')
  })
})

describe('a revocation', () => {
  it('posts the token and what kind it is, with our credentials [TOK-7]', async () => {
    provider.routes['/revoke'] = () => ({ body: '' })
    assert.deepEqual(await ours().revoke('r1', 'refresh_token'), { outcome: 'confirmed' })
    const seen = last('/revoke')
    assert.equal(seen?.method, 'POST')
    assert.match(seen?.headers.authorization ?? '', /^Basic /)
    assert.deepEqual(Object.fromEntries(seen?.form ?? []), {
      token: 'r1',
      token_type_hint: 'refresh_token',
    })
  })

  it('is unsupported without an endpoint, or for this kind of token [TOK-8]', async () => {
    provider.routes['/revoke'] = () => ({ status: 400, body: { error: 'unsupported_token_type' } })
    assert.deepEqual(await ours().revoke('a1', 'access_token'), { outcome: 'unsupported' })
    provider.metadata['revocation_endpoint'] = undefined
    assert.deepEqual(await ours().revoke('a1', 'access_token'), { outcome: 'unsupported' })
  })

  it('is to be tried again when the provider says so [TOK-9]', async () => {
    provider.routes['/revoke'] = () => ({ status: 503, headers: { 'retry-after': '2' } })
    assert.deepEqual(await ours().revoke('r1', 'refresh_token'), {
      outcome: 'failed',
      reason: 'provider_unreachable',
      retryAt: (second + 2) * 1000,
    })
    const date = new Date((second + 90) * 1000).toUTCString()
    provider.routes['/revoke'] = () => ({ status: 429, headers: { 'retry-after': date } })
    const later = await ours().revoke('r1', 'refresh_token')
    assert.equal(later.outcome === 'failed' && later.retryAt, (second + 90) * 1000)
  })

  const failures: [string, object, string][] = [
    ['our credentials', { status: 401, body: { error: 'invalid_client' } }, 'invalid_client'],
    ['a redirect', { status: 302, headers: { location: '/x' } }, 'provider_invalid'],
    ['a page', { status: 404, body: '<html>' }, 'provider_invalid'],
    ['words', { status: 400, body: { error: 'the token r1 <b>' } }, 'provider_refused'],
    ['a bad Retry-After', { status: 503, headers: { 'retry-after': 'x' } }, 'provider_unreachable'],
  ]
  for (const [title, given, reason] of failures) {
    it(`has failed, and says so, because of ${title} [TOK-9]`, async () => {
      provider.routes['/revoke'] = () => given
      const ended = await ours().revoke('r1', 'refresh_token')
      assert.deepEqual(ended, { outcome: 'failed', reason, retryAt: undefined })
    })
  }

  it('never rejects, also when the provider is gone [TOK-9]', async () => {
    const known = ours()
    await known.metadata()
    const unknown = ours()
    await provider.close()
    for (const each of [known, unknown]) {
      assert.deepEqual(await each.revoke('r1', 'refresh_token'), {
        outcome: 'failed',
        reason: 'provider_unreachable',
        retryAt: undefined,
      })
    }
    provider = await startSmallProvider()
  })
})
