import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  arriving,
  ask,
  assertNotStored,
  assertSignInWorks,
  depart,
  failures,
  start,
} from '../support/requests.ts'

describe('a sign-in request', () => {
  it('asks for a code, as this client, back to the registered address, with openid [COR-1, SEC-4]', async (t) => {
    const app = await start(t)
    const { response, authorization } = await depart(app)
    assertNotStored(response)
    const { searchParams: sent } = authorization
    const { authorization_endpoint } = app.provider.metadata
    assert.equal(authorization.origin + authorization.pathname, authorization_endpoint)
    assert.equal(sent.get('response_type'), 'code')
    assert.equal(sent.get('client_id'), 'app')
    assert.equal(sent.get('redirect_uri'), 'https://app.test/auth/callback')
    assert.equal(sent.get('scope'), 'openid profile offline_access')
    assert.equal(sent.has('response_mode'), false)
  })

  it('has a state, a nonce and a verifier that nobody can guess, each time others [COR-2, COR-3, COR-4]', async (t) => {
    const app = await start(t)
    const seen = new Set<string>()
    for (let count = 0; count < 1000; count++) {
      const { searchParams: sent } = (await depart(app)).authorization
      assert.equal(sent.get('code_challenge_method'), 'S256')
      for (const name of ['state', 'nonce', 'code_challenge']) {
        const value = sent.get(name) ?? ''
        // 256 bits in base64url.
        assert.match(value, /^[\w-]{43}$/)
        seen.add(value)
      }
    }
    assert.equal(seen.size, 3000)
  })

  it('is answered for with the verifier of its own challenge [COR-4, COR-11]', async (t) => {
    const app = await start(t)
    const both = [await arriving(app), await arriving(app)]
    for (const { path, cookie } of both.reverse()) await ask(app, path, { cookie })
    const requests = app.provider.requests.filter(({ endpoint }) => endpoint === 'token')
    assert.equal(requests.length, 2)
    for (const [at, { departed }] of both.entries()) {
      const { method, form } = requests[at] ?? assert.fail()
      const verifier = form.get('code_verifier') ?? ''
      const challenge = createHash('sha256').update(verifier).digest('base64url')
      assert.equal(method, 'POST')
      assert.equal(form.get('redirect_uri'), 'https://app.test/auth/callback')
      assert.equal(challenge, departed.authorization.searchParams.get('code_challenge'))
    }
  })

  it('keeps what the authorization endpoint already asks', async (t) => {
    const app = await start(t)
    app.provider.metadata.authorization_endpoint = `${app.provider.issuer}/authorize?tenant=a%20b`
    const { authorization } = await depart(app)
    assert.equal(authorization.searchParams.get('tenant'), 'a b')
    assert.equal(authorization.searchParams.getAll('state').length, 1)
  })

  it('passes on what a link may ask, and nothing else', async (t) => {
    const app = await start(t)
    const wished = {
      prompt: 'login',
      max_age: '60',
      acr_values: 'urn:mfa urn:pin',
      login_hint: 'ada@example.org',
      ui_locales: 'de fr',
    }
    const smuggled = {
      scope: 'openid admin',
      redirect_uri: 'https://evil.example/',
      client_id: 'C9',
      response_type: 'token',
      response_mode: 'fragment',
      state: 's',
      nonce: 'n',
      code_challenge: 'x',
      code_challenge_method: 'plain',
      request: 'x.y.z',
      request_uri: 'https://evil.example/',
      resource: 'https://evil.example/',
      claims: '{}',
    }
    const { searchParams: sent } = (await depart(app, { ...smuggled, ...wished })).authorization
    for (const [name, value] of Object.entries(wished)) assert.deepEqual(sent.getAll(name), [value])
    for (const [name, value] of Object.entries(smuggled)) assert.notEqual(sent.get(name), value)
    for (const name of ['request', 'request_uri', 'resource', 'claims', 'response_mode']) {
      assert.equal(sent.has(name), false, name)
    }
  })

  it('sends what the application configured with every request, whatever a link asks', async (t) => {
    const configured = { acr_values: 'urn:mfa', max_age: '300', prompt: 'login', audience: 'x' }
    const app = await start(t, { authorizationParameters: configured })
    const weaker = { acr_values: 'urn:pwd', max_age: '99999999', prompt: 'none', audience: 'y' }
    const { searchParams: sent } = (await depart(app, weaker)).authorization
    for (const [name, value] of Object.entries(configured)) {
      assert.deepEqual(sent.getAll(name), [value])
    }
  })

  it('holds a user to the level the application configured, whatever a link asks [COR-17]', async (t) => {
    const app = await start(t, { authorizationParameters: { acr_values: 'urn:mfa' } })
    app.provider.next('id_token', ({ claims }) => {
      claims.acr = 'urn:pwd'
    })
    const { path, cookie } = await arriving(app, { acr_values: 'urn:pwd' })
    assert.equal((await ask(app, path, { cookie })).status, 400)
    assert.deepEqual(failures(app), ['id_token_invalid'])
  })

  for (const max_age of ['-1', '1e3', '1.5', 'abc', ' 60', '9999999999', '']) {
    it(`is refused where max_age is ${JSON.stringify(max_age)}`, async (t) => {
      const app = await start(t)
      const response = await ask(app, `/auth/sign-in?${new URLSearchParams({ max_age })}`)
      assert.equal(response.status, 400)
      assert.deepEqual(failures(app), ['request_invalid'])
    })
  }

  it('names every configured resource', async (t) => {
    const resources = ['https://api.example/', 'urn:other']
    const app = await start(t, { resources })
    const { searchParams: sent } = (await depart(app)).authorization
    assert.deepEqual(sent.getAll('resource'), resources)
  })

  it('goes out by the configured origin, whatever host the request names [SEC-7]', async (t) => {
    const app = await start(t)
    const spoofed = {
      host: 'evil.example',
      forwarded: 'host=evil.example;proto=http',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '81',
      'x-forwarded-prefix': '//evil.example',
      'x-original-url': '//evil.example/',
      'x-rewrite-url': '//evil.example/',
    }
    for (const url of ['/auth/sign-in', 'https://evil.example/auth/sign-in']) {
      const response = await ask(app, `${url}?return_to=/x`, { headers: spoofed })
      const sent = new URL(response.headers.get('location') ?? '').searchParams
      assert.equal(sent.get('redirect_uri'), 'https://app.test/auth/callback')
    }
    const { path, cookie } = await arriving(app, 'return_to=/x', { headers: spoofed })
    const home = await ask(app, path, { cookie, headers: spoofed })
    assert.equal(home.headers.get('location'), 'https://app.test/x')
    const headers = { ...spoofed, 'sec-fetch-site': 'same-origin' }
    const out = await ask(app, '/auth/sign-out', { method: 'POST', cookie, headers })
    const end = new URL(out.headers.get('location') ?? '').searchParams
    assert.equal(end.get('post_logout_redirect_uri'), 'https://app.test/auth/signed-out')
  })

  it('cannot be shown in a frame [COR-21]', async (t) => {
    const app = await start(t)
    // The good answer has nothing to show.
    assert.equal(await (await depart(app)).response.text(), '')
    const refused = await ask(app, '/auth/sign-in?prompt=a&prompt=b')
    assert.match(refused.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
  })
})

describe('a pushed sign-in request', () => {
  it('leaves nothing in the browser but its name, and signs in', async (t) => {
    const app = await start(t)
    app.provider.metadata.require_pushed_authorization_requests = true
    const { authorization } = await depart(app, { login_hint: 'ada@example.org' })
    assert.deepEqual([...authorization.searchParams.keys()].sort(), ['client_id', 'request_uri'])
    const pushed = await app.provider.received('par')
    assert.equal(pushed.form.get('login_hint'), 'ada@example.org')
    assert.match(pushed.form.get('state') ?? '', /^[\w-]{43}$/)
    await assertSignInWorks(app)
    assert.equal(app.provider.count('par'), 2)
  })

  it('is pushed where the options ask for it', async (t) => {
    const app = await start(t)
    const { issuer } = app.provider
    const options = { issuer, clientId: 'app', pushedAuthorizationRequests: true }
    await assertSignInWorks(app, app.another({ provider: options }))
    assert.equal(app.provider.count('par'), 1)
  })

  it('that the provider refuses is told as such, and the next one works', async (t) => {
    const app = await start(t)
    app.provider.metadata.require_pushed_authorization_requests = true
    app.provider.next('par', { status: 400, json: { error: 'invalid_scope' } })
    assert.equal((await ask(app, '/auth/sign-in')).status, 502)
    app.provider.next('par', { status: 503, json: {} })
    assert.equal((await ask(app, '/auth/sign-in')).status, 503)
    assert.deepEqual(failures(app), ['provider_refused', 'provider_unreachable'])
    await assertSignInWorks(app)
  })
})
