import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type CryptoKey, exportJWK, generateKeyPair } from 'jose'
import type { Auth, ProviderOptions } from '#coatcheck'
import { readClaims } from '#coatcheck/testing/provider/jwt'
import type { Application } from '../support/application.ts'
import { ask, assertSignInWorks, eventually, failures, start } from '../support/requests.ts'

const SECRET = 'p@:%+ ü&=/secret-of-the-client'

/** Registers the client anew and gives an auth that proves itself in this way. */
function registered(
  app: Application,
  method: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt',
  options: Partial<ProviderOptions> = {},
): Auth {
  const { issuer } = app.provider
  app.provider.register({
    client_id: 'app',
    client_secret: SECRET,
    origin: app.origin,
    token_endpoint_auth_method: method,
  })
  return app.another({
    provider: {
      issuer,
      clientId: 'app',
      clientSecret: SECRET,
      ...(method !== 'private_key_jwt' && { clientAuthentication: method }),
      ...options,
    },
  })
}

/** Signs in (by PAR), refreshes, signs out: every request that has to say who asks. */
async function walk(app: Application, auth: Auth): Promise<void> {
  app.provider.metadata.require_pushed_authorization_requests = true
  const browser = await app.signedIn(undefined, auth)
  assert.ok((await auth.accessToken(app.as(browser), { forceRefresh: true })).value)
  await auth.signOut({ subject: 'U1' })
  await eventually(() => app.provider.liveRefreshTokens().length === 0, 'revoked')
}

function requestsThatProve(app: Application): typeof app.provider.requests {
  const found = app.provider.requests.filter(({ endpoint }) =>
    ['par', 'token', 'revocation'].includes(endpoint),
  )
  assert.ok(found.length >= 4)
  return found
}

it('says who it is in the header, encoded as RFC 6749 wants it and no more [COR-11, COR-12]', async (t) => {
  const app = await start(t)
  await walk(app, registered(app, 'client_secret_basic'))
  for (const { headers, form } of requestsThatProve(app)) {
    const basic = Buffer.from(headers.get('authorization')?.slice(6) ?? '', 'base64').toString()
    assert.equal(basic, 'app:p%40%3A%25%2B+%C3%BC%26%3D%2Fsecret-of-the-client')
    assert.equal(form.has('client_secret'), false)
  }
})

it('says who it is in the body, where that was registered [COR-11]', async (t) => {
  const app = await start(t)
  await walk(app, registered(app, 'client_secret_post'))
  for (const { headers, form } of requestsThatProve(app)) {
    assert.equal(form.get('client_secret'), SECRET)
    assert.equal(headers.has('authorization'), false)
  }
})

for (const alg of ['RS256', 'PS256', 'ES256', 'Ed25519']) {
  it(`says who it is by an assertion signed with ${alg}, each used once [COR-11]`, async (t) => {
    const app = await start(t)
    const { privateKey, publicKey } = await generateKeyPair(alg)
    const clientAuthentication = { privateKeyJwt: privateKey as CryptoKey, kid: 'mine' }
    const { issuer } = app.provider
    const auth = app.another({ provider: { issuer, clientId: 'app', clientAuthentication } })
    const jwk = { ...(await exportJWK(publicKey)), kid: 'mine', alg }
    app.provider.register({
      client_id: 'app',
      origin: app.origin,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    })
    await walk(app, auth)
    const names = new Set<unknown>()
    for (const { headers, form } of requestsThatProve(app)) {
      const { iss, sub, aud, jti } = readClaims(form.get('client_assertion') ?? '')
      assert.deepEqual([iss, sub, aud], ['app', 'app', issuer])
      assert.equal(headers.has('authorization'), false)
      assert.equal(form.has('client_secret'), false)
      names.add(jti)
    }
    assert.equal(names.size, requestsThatProve(app).length)
  })
}

it('tells that the provider does not know the secret, and signs in once it is right', async (t) => {
  const app = await start(t)
  const auth = registered(app, 'client_secret_post', { clientSecret: 'an old secret' })
  const browser = app.browser(auth)
  const page = await browser.get(`${app.origin}/auth/sign-in`)
  assert.equal(`${page.status} ${page.url.pathname}`, '502 /auth/callback')
  assert.doesNotMatch(page.text, /secret/)
  assert.deepEqual(failures(app), ['provider_refused'])
  assert.doesNotMatch(JSON.stringify(app.events), /secret/)
  await assertSignInWorks(app, registered(app, 'client_secret_post'))
})

it('sends its secret to the token, PAR and revocation endpoints and nowhere else [COR-11, COR-19]', async (t) => {
  const app = await start(t, { userInfo: true })
  const auth = registered(app, 'client_secret_post', {})
  await walk(app, auth)
  await ask(app, '/auth/sign-in', { auth })
  for (const { endpoint, url, body, headers } of app.provider.requests) {
    assert.doesNotMatch(url, /access_token=|secret|code_verifier=/)
    if (['par', 'token', 'revocation'].includes(endpoint)) continue
    const seen = decodeURIComponent(`${url} ${body} ${JSON.stringify([...headers])}`)
    assert.equal(seen.includes(SECRET), false, endpoint)
  }
})
