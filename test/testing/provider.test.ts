import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import {
  generateKey,
  loopbackFetch,
  readClaims,
  readForm,
  startProvider,
  type TestProvider,
  type TestProviderOptions,
} from '#coatcheck/testing/index'
import {
  authorizationRequest,
  authorize,
  exchange,
  post,
  redirectUri,
  refresh,
  sentBack,
  signIn,
} from './plain-client.ts'

const key = await generateKey('RSA', 'k1')

describe('sign-in at the test provider', () => {
  it('ends with an ID token, an access token an API can check, and UserInfo', async (t) => {
    const provider = await open(t)
    const tokens = await signIn(provider, { nonce: 'n-1', scope: 'openid profile' })
    const keys = createRemoteJWKSet(new URL(String(provider.metadata.jwks_uri)))
    const { payload } = await jwtVerify(String(tokens.id_token), keys, {
      issuer: provider.issuer,
      audience: 'app',
      algorithms: ['RS256'],
    })
    assert.equal(payload.sub, 'U1')
    assert.equal(payload['nonce'], 'n-1')
    assert.equal(payload['sid'], provider.sessions[0]?.sid)
    const api = await jwtVerify(String(tokens.access_token), keys, { typ: 'at+jwt' })
    assert.equal(api.payload['client_id'], 'app')
    assert.equal(typeof api.payload.jti, 'string')
    const user = await fetch(String(provider.metadata.userinfo_endpoint), {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    assert.equal(((await user.json()) as { name: string }).name, 'User U1')
  })

  it('sends state and issuer back, and session_state where that is announced', async (t) => {
    const provider = await open(t)
    const plain = sentBack(await authorize(provider, authorizationRequest().query))
    assert.equal(plain.get('state'), 'state-1')
    assert.equal(plain.get('iss'), provider.issuer)
    assert.equal(plain.get('session_state'), null)
    provider.metadata.check_session_iframe = `${provider.issuer}/check-session`
    delete provider.metadata.authorization_response_iss_parameter_supported
    const other = sentBack(await authorize(provider, authorizationRequest().query))
    assert.notEqual(other.get('session_state'), null)
    assert.equal(other.get('iss'), null)
  })

  it('shares one session between the applications of one browser', async (t) => {
    const provider = await open(t, { clients: [{ client_id: 'app' }, { client_id: 'other' }] })
    const first = await signIn(provider, { login_hint: 'alice' })
    const second = await signIn(provider, { client_id: 'other' }, first.cookie)
    assert.equal(readClaims(String(second.id_token)).sub, 'alice')
    assert.equal(readClaims(String(second.id_token)).sid, readClaims(String(first.id_token)).sid)
    assert.equal(provider.sessions.length, 1)
    const elsewhere = await signIn(provider, { login_hint: 'alice' })
    assert.notEqual(
      readClaims(String(elsewhere.id_token)).sid,
      readClaims(String(first.id_token)).sid,
    )
  })

  it('says login_required to prompt=none without a session', async (t) => {
    const provider = await open(t)
    const { query } = authorizationRequest({ prompt: 'none' })
    assert.equal(sentBack(await authorize(provider, query)).get('error'), 'login_required')
    const { cookie } = await signIn(provider)
    assert.notEqual(sentBack(await authorize(provider, query, cookie)).get('code'), null)
  })

  it('answers form_post with a page that submits itself', async (t) => {
    const provider = await open(t)
    const { query, verifier } = authorizationRequest({ response_mode: 'form_post' })
    const response = await authorize(provider, query)
    const form = readForm(await response.text(), provider.issuer)
    assert.equal(form?.action.href, redirectUri)
    assert.equal(form?.automatic, true)
    assert.equal(form?.fields.get('state'), 'state-1')
    const code = form?.fields.get('code') ?? ''
    assert.equal((await exchange(provider, { code, code_verifier: verifier })).error, undefined)
  })

  it('takes a pushed request once', async (t) => {
    const provider = await open(t, { metadata: { require_pushed_authorization_requests: true } })
    const { query } = authorizationRequest()
    assert.equal((await authorize(provider, query)).status, 400)
    const pushed = await post(provider, 'pushed_authorization_request', query)
    assert.equal(pushed.status, 201)
    const { request_uri } = (await pushed.json()) as { request_uri: string }
    const short = new URLSearchParams({ client_id: 'app', request_uri })
    assert.notEqual(sentBack(await authorize(provider, short)).get('code'), null)
    assert.equal((await authorize(provider, short)).status, 400)
  })

  it('refuses a wrong verifier, redirect URI, secret or a second use of a code', async (t) => {
    const provider = await open(t)
    const code = async (): Promise<{ code: string; code_verifier: string }> => {
      const { query, verifier } = authorizationRequest()
      const response = await authorize(provider, query)
      return { code: sentBack(response).get('code') ?? '', code_verifier: verifier }
    }
    const wrongVerifier = { ...(await code()), code_verifier: 'x' }
    assert.equal((await exchange(provider, wrongVerifier)).error, 'invalid_grant')
    const wrongUri = { ...(await code()), redirect_uri: `${redirectUri}/` }
    assert.equal((await exchange(provider, wrongUri)).error, 'invalid_grant')
    const good = await code()
    assert.equal((await exchange(provider, good)).error, undefined)
    assert.equal((await exchange(provider, good)).error, 'invalid_grant')
    assert.deepEqual(
      provider.reused.map(({ kind }) => kind),
      ['code'],
    )
    assert.deepEqual(provider.liveRefreshTokens(), [])
    provider.register({ client_id: 'app', client_secret: 'another' })
    const stale = await fetch(String(provider.metadata.token_endpoint), {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('app:wrong')}` },
      body: new URLSearchParams({ grant_type: 'authorization_code', ...(await code()) }),
    })
    assert.equal(stale.status, 401)
  })

  it('accepts a form-encoded secret, a secret in the body and a signed assertion', async (t) => {
    const client_secret = 'p@:%+ ü'
    const provider = await open(t, { clients: [{ client_id: 'app', client_secret }] })
    const ask = async (body: Record<string, string>, headers = {}): Promise<string> => {
      const response = await fetch(String(provider.metadata.token_endpoint), {
        method: 'POST',
        headers,
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'x', ...body }),
      })
      return ((await response.json()) as { error: string }).error
    }
    const encoded = new URLSearchParams({ v: client_secret }).toString().slice(2)
    const basic = { authorization: `Basic ${btoa(`app:${encoded}`)}` }
    assert.equal(await ask({}, basic), 'invalid_grant')
    assert.equal(await ask({ client_id: 'app', client_secret }), 'invalid_client')
    provider.register({
      client_id: 'app',
      client_secret,
      token_endpoint_auth_method: 'client_secret_post',
    })
    assert.equal(await ask({ client_id: 'app', client_secret }), 'invalid_grant')
    provider.register({
      client_id: 'app',
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [key.publicKey.export({ format: 'jwk' })] },
    })
    const assertion = async (aud: string | string[]): Promise<Record<string, string>> => ({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'RS256' })
        .setIssuer('app')
        .setSubject('app')
        .setAudience(aud)
        .setExpirationTime('1m')
        .sign(key.privateKey),
    })
    const good = await assertion(provider.issuer)
    assert.equal(await ask(good), 'invalid_grant')
    assert.equal(await ask(good), 'invalid_client', 'a jti counts once')
    assert.equal(await ask(await assertion([provider.issuer])), 'invalid_client')
  })

  it('gives access tokens for the resource and the scope that were asked', async (t) => {
    const provider = await open(t, { settings: { resources: ['https://api.test/a'] } })
    const tokens = await signIn(provider, {
      scope: 'openid read write',
      resource: 'https://api.test/a',
    })
    assert.equal(readClaims(String(tokens.access_token)).aud, 'https://api.test/a')
    const narrow = await refresh(provider, tokens.refresh_token, { scope: 'read' })
    assert.equal(narrow.scope, 'read')
    assert.deepEqual(provider.introspect(String(narrow.access_token))?.scope, ['read'])
    const other = { resource: 'https://api.test/b' }
    assert.equal((await refresh(provider, narrow.refresh_token, other)).error, 'invalid_target')
    const wide = { scope: 'read admin' }
    assert.equal((await refresh(provider, narrow.refresh_token, wide)).error, 'invalid_scope')
  })
})

describe('refresh tokens of the test provider', () => {
  it('are rotated, and a second use revokes the family', async (t) => {
    const provider = await open(t)
    const first = await signIn(provider)
    const second = await refresh(provider, first.refresh_token)
    assert.notEqual(second.refresh_token, first.refresh_token)
    assert.deepEqual(provider.liveRefreshTokens(), [second.refresh_token])
    assert.equal((await refresh(provider, first.refresh_token)).error, 'invalid_grant')
    assert.equal(provider.reused[0]?.value, first.refresh_token)
    assert.equal((await refresh(provider, second.refresh_token)).error, 'invalid_grant')
    assert.deepEqual(provider.liveRefreshTokens(), [])
    assert.deepEqual(provider.liveAccessTokens(), [])
    assert.equal(provider.count('token', 'refresh_token'), 3)
  })

  it('end when they are revoked, together with their access tokens', async (t) => {
    const provider = await open(t)
    const tokens = await signIn(provider)
    const answer = await post(provider, 'revocation', {
      token: tokens.refresh_token ?? '',
      token_type_hint: 'refresh_token',
    })
    assert.equal(answer.status, 200)
    assert.equal(provider.revoked[0]?.kind, 'refresh_token')
    assert.equal((await refresh(provider, tokens.refresh_token)).error, 'invalid_grant')
    const user = await fetch(String(provider.metadata.userinfo_endpoint), {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    assert.equal(user.status, 401)
  })

  it('expire by the clock that is given', async (t) => {
    let time = 1_800_000_000_000
    const provider = await open(t, { now: () => time, settings: { refreshTokenSeconds: 10 } })
    const tokens = await signIn(provider)
    assert.equal(readClaims(String(tokens.id_token)).iat, 1_800_000_000)
    time += 10_000
    assert.deepEqual(provider.liveRefreshTokens(), [])
    assert.equal((await refresh(provider, tokens.refresh_token)).error, 'invalid_grant')
  })

  it('outlive the session only with offline_access', async (t) => {
    const provider = await open(t)
    const online = await signIn(provider)
    const offline = await signIn(provider, { scope: 'openid offline_access' }, online.cookie)
    const [session] = provider.sessions
    await provider.endSession(session?.sid ?? '')
    assert.deepEqual(provider.liveRefreshTokens(), [offline.refresh_token])
    await provider.endUser('U1')
    assert.deepEqual(provider.liveRefreshTokens(), [])
  })
})

describe('scripts of the test provider', () => {
  it('hold a request before anything was done about it, and let it go', async (t) => {
    const provider = await open(t)
    const tokens = await signIn(provider)
    const hold = provider.hold('token', { grant: 'refresh_token' })
    const answer = refresh(provider, tokens.refresh_token)
    const { request } = await hold.received()
    assert.equal(request.form.get('refresh_token'), tokens.refresh_token)
    assert.deepEqual(provider.liveRefreshTokens(), [tokens.refresh_token])
    hold.release()
    assert.equal((await answer).error, undefined)
    assert.equal((await refresh(provider, (await answer).refresh_token)).error, undefined)
  })

  it('hold an answer after everything was done, or fail it', async (t) => {
    const provider = await open(t)
    const tokens = await signIn(provider)
    const hold = provider.hold('token', { at: 'answer' })
    const answer = refresh(provider, tokens.refresh_token)
    await hold.received()
    assert.notDeepEqual(provider.liveRefreshTokens(), [tokens.refresh_token])
    hold.fail(503, { error: 'temporarily_unavailable' })
    assert.equal((await answer).error, 'temporarily_unavailable')
  })

  it('let go of two held requests in either order', async (t) => {
    const provider = await open(t)
    const hold = provider.hold('jwks')
    const order: string[] = []
    const ask = (name: string): Promise<unknown> =>
      fetch(String(provider.metadata.jwks_uri)).then(() => order.push(name))
    const one = ask('one')
    const first = await hold.received(1)
    const two = ask('two')
    const second = await hold.received(2)
    second.release()
    await two
    first.release()
    await one
    assert.deepEqual(order, ['two', 'one'])
    hold.release()
  })

  it('wait for the n-th request without sleeping', async (t) => {
    const provider = await open(t)
    const second = provider.received('token', 2)
    const tokens = await signIn(provider)
    await refresh(provider, tokens.refresh_token)
    assert.equal((await second).grant, 'refresh_token')
    assert.equal((await provider.received('token', 1, 'refresh_token')).grant, 'refresh_token')
  })

  it('answer in place of an endpoint, once', async (t) => {
    const provider = await open(t)
    const tokens = await signIn(provider)
    provider.next('token', { status: 503, headers: { 'retry-after': '2' } })
    const refused = await post(provider, 'token', {
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token ?? '',
    })
    assert.equal(refused.status, 503)
    assert.equal(refused.headers.get('retry-after'), '2')
    assert.equal(await refused.text(), '')
    assert.equal((await refresh(provider, tokens.refresh_token)).error, undefined)
  })

  it('change an answer, always or until taken back', async (t) => {
    const provider = await open(t)
    const undo = provider.next('discovery', ({ json }) => (json['issuer'] = 'x'), {
      times: Infinity,
    })
    const issuer = async (): Promise<unknown> => {
      const response = await fetch(`${provider.issuer}/.well-known/openid-configuration`)
      return ((await response.json()) as { issuer: unknown }).issuer
    }
    assert.deepEqual([await issuer(), await issuer()], ['x', 'x'])
    undo()
    assert.equal(await issuer(), provider.issuer)
  })

  it('change claims, header, algorithm and key of an ID token', async (t) => {
    const provider = await open(t)
    provider.next('id_token', ({ claims }) => {
      claims.iss = `${claims.iss}INVALID`
      claims.sub = undefined
    })
    const lying = readClaims(String((await signIn(provider)).id_token))
    assert.equal(lying.iss, `${provider.issuer}INVALID`)
    assert.equal('sub' in lying, false)
    provider.next('id_token', (draft) => {
      draft.header = { alg: 'none' }
    })
    const unsigned = String((await signIn(provider)).id_token)
    assert.deepEqual(decodeProtectedHeader(unsigned), { alg: 'none' })
    assert.equal(unsigned.endsWith('.'), true)
    provider.next('id_token', (draft) => {
      draft.rewrite = () => 'garbage'
    })
    assert.equal((await signIn(provider)).id_token, 'garbage')
    const honest = readClaims(String((await signIn(provider)).id_token))
    assert.equal(honest.iss, provider.issuer)
  })

  it('run something in the middle of a request', async (t) => {
    const provider = await open(t)
    const tokens = await signIn(provider)
    provider.before('token', () => provider.endSession(provider.sessions[0]?.sid ?? ''))
    assert.equal((await refresh(provider, tokens.refresh_token)).error, 'invalid_grant')
  })

  it('tell at the end what they threw', async () => {
    const provider = await startProvider({ key })
    provider.next('jwks', () => assert.fail('seen'))
    const answer = await fetch(String(provider.metadata.jwks_uri))
    assert.equal(answer.status, 500)
    await assert.rejects(provider.close(), /seen/)
  })

  it('drop, cut, drip and pour', async (t) => {
    const provider = await open(t)
    const url = String(provider.metadata.jwks_uri)
    for (const fetchFrom of [fetch, provider.fetch]) {
      provider.next('jwks', { wire: 'drop' })
      await assert.rejects(fetchFrom(url), /fetch failed/)
      provider.next('jwks', (answer) => {
        answer.wire = 'cut'
      })
      const cut = await fetchFrom(url)
      await assert.rejects(cut.text())
      provider.next('jwks', { body: 'slow', wire: 'drip' })
      const drip = (await fetchFrom(url)).body?.getReader()
      assert.equal(Buffer.from((await drip?.read())?.value ?? []).toString()[0], 's')
      await drip?.cancel()
      provider.next('jwks', { body: 'much', wire: 'endless' })
      const endless = (await fetchFrom(url)).body?.getReader()
      let bytes = 0
      while (bytes < 1_000_000) bytes += (await endless?.read())?.value?.length ?? Infinity
      assert.notEqual(bytes, Infinity)
      await endless?.cancel()
    }
  })
})

describe('logout at the test provider', () => {
  it('sends every application of the session a logout token before it answers', async (t) => {
    const [app, other] = [await openApplication(t), await openApplication(t)]
    const provider = await open(t, {
      clients: [
        { client_id: 'app', backchannel_logout_uri: `${app.origin}/bcl` },
        { client_id: 'other', backchannel_logout_uri: `${other.origin}/bcl` },
        { client_id: 'stranger', backchannel_logout_uri: `${other.origin}/stranger` },
      ],
    })
    provider.settings.logoutParameters['ignored_parameter'] = 'x'
    const tokens = await signIn(provider)
    await signIn(provider, { client_id: 'other' }, tokens.cookie)
    const response = await endSession(provider, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: 'http://127.0.0.1:1/bye',
      state: 's-1',
    })
    assert.equal(response.headers.get('location'), 'http://127.0.0.1:1/bye?state=s-1')
    assert.equal(app.forms.length, 1)
    assert.equal(other.forms.length, 1)
    assert.equal(app.forms[0]?.get('ignored_parameter'), 'x')
    const keys = createRemoteJWKSet(new URL(String(provider.metadata.jwks_uri)))
    const token = app.forms[0]?.get('logout_token') ?? ''
    const { payload } = await jwtVerify(token, keys, { typ: 'logout+jwt', audience: 'app' })
    assert.equal(payload['sid'], provider.sessions[0]?.sid)
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 120)
    assert.deepEqual(payload['events'], {
      'http://schemas.openid.net/event/backchannel-logout': {},
    })
    assert.deepEqual(
      provider.deliveries.map(({ status }) => status),
      [200, 200],
    )
  })

  it('makes logout tokens as wrong as a test wants them', async (t) => {
    const provider = await open(t)
    await signIn(provider)
    const twice = await provider.logoutToken({
      payloadText: (json) => json.replace('{', '{"sid":"S9",'),
    })
    const payload = Buffer.from(twice.split('.')[1] ?? '', 'base64url').toString()
    assert.equal(payload.match(/"sid"/g)?.length, 2)
    const none = await provider.logoutToken({
      header: { alg: 'none', kid: undefined, typ: undefined },
    })
    assert.deepEqual(decodeProtectedHeader(none), { alg: 'none' })
    const confused = await provider.logoutToken({ header: { alg: 'HS256' }, key })
    const pem = key.publicKey.export({ format: 'pem', type: 'spki' })
    await jwtVerify(confused, Buffer.from(pem), { algorithms: ['HS256'] })
    const ec = await provider.keys.add('EC')
    const other = await provider.logoutToken({ header: { alg: 'ES256', kid: ec.kid } })
    await jwtVerify(other, ec.publicKey, { algorithms: ['ES256'] })
    const session = await provider.sign({ header: { typ: 'at+jwt' }, claims: { sub: 'U2' } })
    assert.equal((await jwtVerify(session, key.publicKey, { typ: 'at+jwt' })).payload.sub, 'U2')
    const nested = await provider.logoutToken({
      encrypt: {
        key: (await provider.keys.add('encryption')).publicKey,
        alg: 'RSA-OAEP',
        enc: 'A256GCM',
      },
    })
    assert.equal(nested.split('.').length, 5)
    assert.equal(readClaims(await provider.logoutToken({ claims: { sid: undefined } })).sub, 'U1')
  })

  it('names only the user where an administrator ends all of that user', async (t) => {
    const app = await openApplication(t)
    const provider = await open(t, {
      clients: [{ client_id: 'app', backchannel_logout_uri: `${app.origin}/bcl` }],
    })
    await signIn(provider)
    await signIn(provider)
    await signIn(provider, { login_hint: 'U2' })
    await provider.endUser('U1')
    const tokens = app.forms.map((form) => readClaims(form.get('logout_token') ?? ''))
    assert.deepEqual(
      tokens.map(({ sub, sid }) => [sub, sid]),
      [['U1', undefined]],
    )
    assert.equal(provider.liveRefreshTokens().length, 1)
  })

  it('tells nobody any more where a revocation has ended the session', async (t) => {
    const app = await openApplication(t)
    const provider = await open(t, {
      clients: [{ client_id: 'app', backchannel_logout_uri: `${app.origin}/bcl` }],
      settings: { revocationEndsSession: true },
    })
    const tokens = await signIn(provider)
    await post(provider, 'revocation', { token: tokens.refresh_token ?? '' })
    await endSession(provider, { id_token_hint: tokens.id_token ?? '' })
    assert.deepEqual(app.forms, [])
  })

  it('shows an iframe per application with the raw sid, and then goes on', async (t) => {
    const sid = 'a b/=&#%"\'<>|~'
    const provider = await open(t, {
      user: { sub: 'U1', sid },
      clients: [{ client_id: 'app', frontchannel_logout_uri: 'http://127.0.0.1:1/fcl' }],
      settings: { frontChannel: true },
    })
    const tokens = await signIn(provider)
    const response = await endSession(provider, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: 'http://127.0.0.1:1/bye',
    })
    const page = await response.text()
    assert.match(page, /<iframe src="[^"]*&amp;sid=a b\/=&amp;#%&quot;&#39;&lt;&gt;\|~">/)
    assert.match(page, /data-continue="http:\/\/127.0.0.1:1\/bye"/)
  })

  it('refuses a hint that is not its own and a redirect that is not registered', async (t) => {
    const provider = await open(t, {
      clients: [{ client_id: 'app', post_logout_redirect_uris: ['http://127.0.0.1:1/bye'] }],
    })
    const { id_token = '' } = await signIn(provider)
    assert.equal((await endSession(provider, { id_token_hint: 'x.y.z' })).status, 400)
    const elsewhere = { id_token_hint: id_token, post_logout_redirect_uri: 'http://127.0.0.1:1/' }
    assert.equal((await endSession(provider, elsewhere)).status, 400)
    assert.equal(provider.sessions[0]?.ended, false)
  })
})

describe('an outage of the test provider', () => {
  it('refuses connections, and it comes back on the same port with all it knew', async (t) => {
    const provider = await open(t)
    const tokens = await signIn(provider)
    await provider.stop()
    await assert.rejects(fetch(String(provider.metadata.jwks_uri)), /fetch failed/)
    await assert.rejects(provider.fetch(String(provider.metadata.jwks_uri)), /fetch failed/)
    await provider.start()
    assert.equal((await refresh(provider, tokens.refresh_token)).error, undefined)
  })

  it('cuts off requests that are held', async (t) => {
    const provider = await open(t)
    const hold = provider.hold('jwks')
    const answer = fetch(String(provider.metadata.jwks_uri))
    await hold.received()
    await Promise.all([assert.rejects(answer, /fetch failed/), provider.stop()])
  })
})

describe('keys of the test provider', () => {
  it('are replaced under a new kid, and others are published beside them', async (t) => {
    const provider = await open(t)
    const kids = async (): Promise<(string | undefined)[]> => {
      const response = await fetch(String(provider.metadata.jwks_uri))
      const { keys } = (await response.json()) as { keys: { kid?: string }[] }
      return keys.map(({ kid }) => kid)
    }
    await provider.rotateKeys()
    assert.deepEqual(await kids(), ['k2'])
    await provider.rotateKeys({ keep: true })
    await provider.keys.add('EC')
    assert.deepEqual(await kids(), ['k3', 'k2', 'k4'])
    assert.equal(decodeProtectedHeader(String((await signIn(provider)).id_token)).kid, 'k3')
    provider.keys.named = false
    assert.deepEqual(await kids(), [undefined, undefined, undefined])
    assert.equal('kid' in decodeProtectedHeader(String((await signIn(provider)).id_token)), false)
  })
})

describe('the issuer of the test provider', () => {
  it('may have another host and a path, also one that ends with a slash', async (t) => {
    const provider = await open(t, { host: 'op.localhost', path: '/tenant/' })
    assert.match(provider.issuer, /^http:\/\/op\.localhost:\d+\/tenant\/$/)
    const url = new URL('.well-known/openid-configuration', provider.issuer)
    const document = (await (await loopbackFetch(url)).json()) as Record<string, string>
    assert.equal(document['issuer'], provider.issuer)
    assert.equal((await loopbackFetch(document['jwks_uri'] ?? '')).status, 200)
    assert.equal((await loopbackFetch(new URL('/jwks', provider.issuer))).status, 404)
  })
})

describe('the test provider without a socket', () => {
  it('answers the same, and an aborted wait ends', async (t) => {
    const provider = await open(t)
    const document = await provider.fetch(`${provider.issuer}/.well-known/openid-configuration`)
    assert.equal(((await document.json()) as { issuer: string }).issuer, provider.issuer)
    const hold = provider.hold('jwks')
    const abort = new AbortController()
    const answer = provider.fetch(String(provider.metadata.jwks_uri), { signal: abort.signal })
    await hold.received()
    abort.abort(new Error('enough'))
    await assert.rejects(answer, /enough/)
  })
})

/** A provider that ends with the test. */
async function open(
  t: { after(run: () => Promise<void>): void },
  options: TestProviderOptions = {},
): Promise<TestProvider> {
  const provider = await startProvider({ key, ...options })
  t.after(() => provider.close())
  return provider
}

/** Goes to the end-session endpoint as a browser without cookies would. */
function endSession(provider: TestProvider, query: Record<string, string>): Promise<Response> {
  const url = `${provider.metadata.end_session_endpoint}?${new URLSearchParams(query)}`
  return fetch(url, { redirect: 'manual' })
}

/** A server that answers 200 to every form it is sent. */
async function openApplication(t: {
  after(run: () => void): void
}): Promise<{ readonly origin: string; readonly forms: URLSearchParams[] }> {
  const forms: URLSearchParams[] = []
  const server = createServer(async (request, response) => {
    forms.push(new URLSearchParams(await text(request)))
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, forms }
}
