import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { forgedHeaders } from '#gateway/guard/forged-headers'
import { createIdentity } from '#gateway/identity/identity'
import { signingKeys } from '#gateway/identity/signing-keys'
import { socketAsk } from './socket-ask.ts'
import { type Deployment, deploy, KEY, upstream } from './under-test.ts'

const OTHER_KEY = 'another key for tests of thirty-two bytes or so'

test('An application is told who is signed in, in plain headers and in a JWT that the JWKS verifies', async (t) => {
  const app = await upstream(t)
  const { origin, signedIn, provider } = await deploy(t, {
    applications: [{ upstream: app.url, name: 'shop', audience: 'https://shop.example' }],
    parts: { authOptions: { userInfo: true } },
  })
  const claims = {
    email: 'ann@example.org',
    name: 'Ann',
    preferred_username: 'ann',
    groups: ['staff', 'eu'],
  }
  const browser = await signedIn({ sub: 'U1', claims })
  assert.equal(provider.sessions.length, 1)
  const { headers } = JSON.parse((await browser.get(origin)).text)
  assert.equal(headers['x-forwarded-user'], 'U1')
  assert.equal(headers['x-forwarded-email'], 'ann@example.org')
  assert.equal(headers['x-forwarded-preferred-username'], 'ann')
  assert.equal(headers['x-forwarded-groups'], 'staff,eu')

  const jwt = headers['x-coatcheck-identity']
  const keys = createRemoteJWKSet(new URL(`${origin}/.well-known/jwks.json`))
  const { payload } = await jwtVerify(jwt, keys, {
    issuer: origin,
    audience: 'https://shop.example',
    algorithms: ['ES256'],
  })
  const { iat = 0, exp = 0, sid, ...said } = payload
  assert.deepEqual(said, { iss: origin, aud: 'https://shop.example', sub: 'U1', ...claims })
  assert.equal(exp - iat, 60)
  assert.match(String(sid), /^[\w-]{43}$/)
})

test('Each application gets a JWT of its own audience, and the same one for a while', async (t) => {
  const app = await upstream(t)
  const { origin, signedIn } = await deploy(t, {
    applications: [
      { upstream: app.url, name: 'one', path: '/one' },
      { upstream: app.url, name: 'two', path: '/two' },
    ],
  })
  const browser = await signedIn()
  const jwtAt = async (path: string): Promise<string> =>
    JSON.parse((await browser.get(origin + path)).text).headers['x-coatcheck-identity']
  const one = await jwtAt('/one')
  assert.equal(audienceOf(one), 'one')
  assert.equal(audienceOf(await jwtAt('/two')), 'two')
  assert.equal(await jwtAt('/one'), one)
})

test('An identity JWT is made anew long before it expires, and expires', () => {
  let now = 1_000_000_000_000
  const keys = signingKeys([KEY])
  const identity = createIdentity({ origin: 'https://app.test', headers: NAMES }, keys, () => now)
  const read = (): string => identity.headersFor(SESSION, 'app')['X-Coatcheck-Identity'] ?? ''
  const first = read()
  now += 19_000
  assert.equal(read(), first)
  now += 2_000
  assert.notEqual(read(), first)
  assert.deepEqual(identity.read(first), { audience: 'app', subject: 'U1', handle: SESSION.handle })
  now += 40_000
  assert.equal(identity.read(first), undefined)
})

test('Gateways with the same keys sign alike; after a rotation what the old key signed still verifies', () => {
  const before = signingKeys([KEY])
  const after = signingKeys([OTHER_KEY, KEY])
  const jwt = before.sign({ sub: 'U1' })
  assert.equal(signingKeys([KEY]).jwks, before.jwks)
  assert.deepEqual(after.verify(jwt, 'JWT'), { sub: 'U1' })
  assert.equal(before.verify(after.sign({ sub: 'U1' }), 'JWT'), undefined)
  const { keys } = JSON.parse(after.jwks)
  assert.equal(keys.length, 2)
  assert.equal(keys[1].kid, decodeProtectedHeader(jwt).kid)
  assert.equal('d' in keys[0], false)
})

test('A JWT of another kind, of nobody, or changed by a letter is no identity', () => {
  const keys = signingKeys([KEY])
  const jwt = keys.sign({ sub: 'U1' })
  const [header, , signature] = jwt.split('.')
  const forged = Buffer.from(JSON.stringify({ sub: 'admin' })).toString('base64url')
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url')
  for (const bad of [
    `${header}.${forged}.${signature}`,
    `${none}.${forged}.`,
    keys.sign({ sub: 'U1' }, 'logout+jwt'),
    signingKeys([OTHER_KEY]).sign({ sub: 'U1' }),
    `${jwt}.x`,
    '',
    '..',
  ]) {
    assert.equal(keys.verify(bad, 'JWT'), undefined, bad)
  }
})

test('A value that a header would change is left out, so that no user becomes another', async (t) => {
  const app = await upstream(t)
  const parts = { authOptions: { userInfo: true } }
  const deployment = await deploy(t, { upstream: app.url, parts })
  const claims = {
    email: 'ann@example.org\r\nX-Forwarded-User: admin',
    preferred_username: ' ann',
    groups: ['staff', 'staff,admin', ' admin', 'Jürgen', 7],
  }
  const headers = await headersOf(deployment, { sub: 'U1', claims })
  assert.equal(headers['x-forwarded-user'], 'U1')
  assert.equal(headers['x-forwarded-email'], undefined)
  assert.equal(headers['x-forwarded-preferred-username'], undefined)
  const groups = Buffer.from(headers['x-forwarded-groups'] ?? '', 'latin1').toString()
  assert.equal(groups, 'staff,Jürgen')
})

test('Header names of the configuration are used, and forgeries of them and of the usual ones stay outside', async (t) => {
  const app = await upstream(t)
  const deployment = await deploy(t, {
    upstream: app.url,
    over: { headers: { ...NAMES, user: 'X-Who' } },
  })
  const browser = await deployment.signedIn({ sub: 'U1' })
  const forged = { 'x-who': 'admin', 'x.who': 'admin', x_who: 'admin', 'x-forwarded-user': 'admin' }
  const { headers } = JSON.parse((await browser.get(deployment.origin, { headers: forged })).text)
  assert.equal(headers['x-who'], 'U1')
  assert.equal(Object.values(headers).includes('admin'), false)
})

test('Whatever a name is spelled like that a server might read as ours, it is recognized', () => {
  const isForged = forgedHeaders(Object.values(NAMES))
  for (const name of [
    'x-forwarded-user',
    'X-FORWARDED-USER',
    'x_forwarded_user',
    'x-forwarded_user',
    'x.forwarded.user',
    'x forwarded user',
    'x-forwarded-user ',
    'x--forwarded--user',
    'x%2dforwarded%2duser',
    'http_x_forwarded_user',
    'x-forwarded-access-token',
    'x-auth-request-user',
    'x-coatcheck-anything',
    'forwarded',
    'remote_user',
    'proxy',
    'x-real-ip',
    'x-original-url',
  ]) {
    assert.equal(isForged(name), true, name)
    assert.equal(isForged(name), true, `${name}, the second time`)
  }
  for (const name of [
    'x-user-agent',
    'user-agent',
    'x-requested-with',
    'cookie',
    'forwarding',
    'x-%zz',
  ]) {
    assert.equal(isForged(name), false, name)
  }
})

test('A header that the client declares as the connection’s cannot take the identity away', async (t) => {
  const app = await upstream(t)
  const deployment = await deploy(t, { upstream: app.url })
  const browser = await deployment.signedIn({ sub: 'U1' })
  const answer = await socketAsk(deployment.origin, [
    'GET / HTTP/1.1',
    'Host: x',
    `Cookie: ${browser.cookieHeader(deployment.origin)}`,
    'X-Forwarded-User: admin',
    'x-forwarded-user: root',
    'X_Forwarded_User: admin',
    'Connection: close, X-Forwarded-User, X-Coatcheck-Identity, X-Private',
    'X-Private: yes',
  ])
  const { headers } = JSON.parse(answer.slice(answer.indexOf('{')))
  assert.equal(headers['x-forwarded-user'], 'U1')
  assert.ok(headers['x-coatcheck-identity'])
  assert.equal(headers['x-private'], undefined)
  assert.equal(headers['x_forwarded_user'], undefined)
})

async function headersOf(
  { origin, signedIn }: Deployment,
  user: { sub: string; claims: Record<string, unknown> },
): Promise<Record<string, string>> {
  const browser = await signedIn(user)
  return JSON.parse((await browser.get(origin)).text).headers
}

function audienceOf(jwt: string): unknown {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).aud
}

const NAMES = {
  user: 'X-Forwarded-User',
  email: 'X-Forwarded-Email',
  preferredUsername: 'X-Forwarded-Preferred-Username',
  groups: 'X-Forwarded-Groups',
  identity: 'X-Coatcheck-Identity',
}

const SESSION = {
  issuer: 'https://op.test',
  subject: 'U1',
  claims: {},
  establishedAt: 0,
  expiresAt: 0,
  handle: 'h'.repeat(43),
}
