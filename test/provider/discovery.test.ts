import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Environment } from '#coatcheck/core/environment'
import { createProvider } from '#coatcheck/core/provider/provider'
import { AuthError, type AuthErrorCode } from '#coatcheck/errors'
import {
  type Clock,
  client,
  type SmallProvider,
  startClock,
  startSmallProvider,
} from './small-provider.ts'

const wellKnown = '/.well-known/openid-configuration'

let provider: SmallProvider
let clock: Clock

beforeEach(async () => {
  provider = await startSmallProvider()
  clock = startClock()
})
afterEach(() => provider.close())

async function fails(ours: ReturnType<typeof client>, code: AuthErrorCode): Promise<AuthError> {
  const error: unknown = await ours.metadata().catch((error) => error)
  assert.ok(error instanceof AuthError)
  assert.equal(error.code, code, error.message)
  assert.ok(error.message.includes(ours.issuer), error.message)
  return error
}

describe('discovery', () => {
  it('happens when it is first needed, once for all who need it [DIS-1]', async () => {
    const ours = client(provider, clock)
    assert.equal(ours.knownMetadata(), undefined)
    assert.equal(provider.seen.length, 0)
    const all = await Promise.all(Array.from({ length: 10 }, () => ours.metadata()))
    assert.equal(provider.count(wellKnown), 1)
    assert.equal(provider.seen[0]?.method, 'GET')
    assert.equal(all[9]?.token_endpoint, `${provider.issuer}/token`)
    assert.equal(ours.knownMetadata(), all[0])
  })

  it('asks below the path of the issuer, without its last slash [DIS-1]', async () => {
    await provider.close()
    for (const path of ['/t1', '/t1/', '/a//b/']) {
      provider = await startSmallProvider(path)
      assert.equal((await client(provider, clock).metadata()).issuer, provider.issuer)
      assert.equal(provider.seen[0]?.path, `${path.replace(/\/$/, '')}${wellKnown}`)
      await provider.close()
    }
    provider = await startSmallProvider()
  })

  it('offers what the provider says of the ways it tells of a sign-out [DIS-11]', async () => {
    const said = {
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      frontchannel_logout_supported: false,
      end_session_endpoint: `${provider.issuer}/end?a=1`,
      something_else: ['x'],
    }
    Object.assign(provider.metadata, said)
    const metadata = await client(provider, clock).metadata()
    for (const [name, value] of Object.entries(said)) assert.deepEqual(metadata[name], value)
  })

  const unusable: [string, Record<string, unknown>, RegExp][] = [
    ['another issuer [DIS-2]', { issuer: 'https://op1.testINVALID' }, /names the issuer/],
    ['no issuer [DIS-2]', { issuer: undefined }, /names the issuer/],
    [
      'an issuer with a slash too many [DIS-2]',
      { issuer: 'SLASH' },
      /names the issuer.*to the last slash/,
    ],
    ['no token endpoint [DIS-3]', { token_endpoint: undefined }, /token_endpoint is missing/],
    ['no keys [DIS-3]', { jwks_uri: null }, /jwks_uri is missing/],
    ['an endpoint that is a list [DIS-3]', { token_endpoint: ['x'] }, /token_endpoint/],
    ['an endpoint that is relative [DIS-3]', { token_endpoint: '/token' }, /token_endpoint/],
    [
      'keys over plain http [DIS-5]',
      { jwks_uri: 'http://op1.test/keys' },
      /jwks_uri is not an https/,
    ],
    [
      'end-session over plain http [DIS-12]',
      { end_session_endpoint: 'http://op1.test/end' },
      /end_session_endpoint is not an https/,
    ],
    [
      'another scheme [SEC-11]',
      { userinfo_endpoint: 'file:///etc/passwd' },
      /userinfo_endpoint is not/,
    ],
    [
      'a name that only begins like this machine [SEC-11]',
      { userinfo_endpoint: 'http://127.0.0.1.op1.test/' },
      /userinfo_endpoint is not/,
    ],
    [
      'a switch that is text [DIS-3]',
      { require_pushed_authorization_requests: 'true' },
      /not true or false/,
    ],
    ['a list that is text [DIS-3]', { response_types_supported: 'code' }, /list of strings/],
  ]
  for (const [title, changes, rule] of unusable) {
    it(`uses nothing of a document with ${title}`, async () => {
      Object.assign(provider.metadata, changes)
      if (changes['issuer'] === 'SLASH') provider.metadata['issuer'] = `${provider.issuer}/`
      const ours = client(provider, clock)
      assert.match((await fails(ours, 'provider_invalid')).message, rule)
      assert.equal(ours.knownMetadata(), undefined)
      await assert.rejects(ours.authorizationUrl({ scope: 'openid' }), { code: 'provider_invalid' })
      assert.equal(provider.seen.filter(({ path }) => path !== wellKnown).length, 0)
    })
  }

  const answers: [string, () => object, AuthErrorCode][] = [
    [
      'a web page',
      () => ({ body: '<html>', headers: { 'content-type': 'text/html' } }),
      'provider_invalid',
    ],
    ['broken JSON', () => ({ body: '{"issuer":' }), 'provider_invalid'],
    ['a list', () => ({ body: [] }), 'provider_invalid'],
    ['null', () => ({ body: 'null' }), 'provider_invalid'],
    ['not found', () => ({ status: 404, body: 'no' }), 'provider_invalid'],
    ['201', () => ({ status: 201 }), 'provider_invalid'],
    ['megabytes', () => ({ body: { pad: 'x'.repeat(2_000_000) } }), 'provider_invalid'],
    ['too many requests', () => ({ status: 429 }), 'provider_unreachable'],
    ['out of order', () => ({ status: 502, body: '<html>' }), 'provider_unreachable'],
  ]
  for (const [title, answer, code] of answers) {
    it(`fails clearly on an answer that is ${title} [DIS-3]`, async () => {
      provider.routes[wellKnown] = answer
      await fails(client(provider, clock), code)
    })
  }

  it('follows no redirect, not even to itself [DIS-3] [DIS-8] [SEC-11]', async () => {
    provider.routes[wellKnown] = () => ({ status: 302, headers: { location: '/elsewhere' } })
    provider.routes['/elsewhere'] = () => ({ body: provider.metadata })
    const error = await fails(client(provider, clock), 'provider_invalid')
    assert.match(error.message, /redirect/)
    assert.equal(provider.count('/elsewhere'), 0)
  })

  it('fails while the provider is away, and recovers as soon as it is back [DIS-8]', async () => {
    const good = provider.routes[wellKnown]
    assert.ok(good)
    const ours = client(provider, clock)
    provider.routes[wellKnown] = () => ({ status: 503 })
    await fails(ours, 'provider_unreachable')
    provider.routes[wellKnown] = good
    assert.ok(await ours.metadata())
  })

  it('says why a provider cannot be reached at all', async () => {
    const ours = client(provider, clock)
    await provider.close()
    assert.match((await fails(ours, 'provider_unreachable')).message, /ECONNREFUSED/)
    provider = await startSmallProvider()
  })

  it('does not hammer a provider that is away', async () => {
    provider.routes[wellKnown] = () => ({ status: 503 })
    const ours = client(provider, clock)
    for (let at = 0; at < 100; at++) await fails(ours, 'provider_unreachable')
    assert.equal(provider.count(wellKnown), 5)
    clock.time += 1000
    await fails(ours, 'provider_unreachable')
    assert.equal(provider.count(wellKnown), 6)
  })

  it('is refreshed behind the scenes after an hour, and used on when that fails', async () => {
    const ours = client(provider, clock)
    await ours.metadata()
    clock.time += 60 * 60 * 1000
    const failed = new Promise<void>((resolve) => {
      provider.routes[wellKnown] = () => {
        resolve()
        return { status: 500 }
      }
    })
    assert.equal((await ours.metadata())['new'], undefined)
    await failed
    // Not again at once, however often it is needed.
    for (let at = 0; at < 500; at++) {
      assert.equal((await ours.metadata()).issuer, provider.issuer)
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(provider.count(wellKnown), 2)
    provider.routes[wellKnown] = () => ({ body: { ...provider.metadata, new: 1 } })
    // Nobody waits for what happens behind the scenes: ask until it has.
    for (let left = 10_000; left > 0 && ours.knownMetadata()?.['new'] !== 1; left--) {
      clock.time += 1000
      assert.equal((await ours.metadata()).issuer, provider.issuer)
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal((await ours.metadata())['new'], 1)
    assert.equal(provider.count(wellKnown), 3)
  })

  it('gives up on a provider that does not answer within five seconds [DIS-8]', async () => {
    const limits: number[] = []
    const environment: Partial<Environment> = {
      fetch: () => new Promise(() => {}),
      wait: async (milliseconds) => {
        limits.push(milliseconds)
      },
    }
    const ours = client(provider, startClock(environment))
    await fails(ours, 'provider_unreachable')
    assert.deepEqual(limits, [5000])
  })
})

describe('provider options', () => {
  const good = { issuer: 'https://op.example', clientId: 'C1', clientSecret: 's' }
  const { environment } = startClock()

  for (const issuer of [
    'https://op.example/t1/',
    'http://localhost:8080',
    'http://op.localhost:1',
    'http://127.9.9.9',
    'http://[::1]:3000',
  ]) {
    it(`take the issuer ${issuer}`, () => {
      assert.equal(createProvider({ ...good, issuer }, environment).issuer, issuer)
    })
  }

  const bad: [string, object, RegExp][] = [
    ['plain http', { issuer: 'http://op.example' }, /provider\.issuer/],
    ['http on a look-alike', { issuer: 'http://localhost.example' }, /provider\.issuer/],
    ['no URL', { issuer: 'op.example' }, /provider\.issuer/],
    ['a query', { issuer: 'https://op.example?x=1' }, /provider\.issuer/],
    ['no client id', { clientId: '' }, /provider\.clientId/],
    ['no secret', { clientSecret: undefined }, /provider\.clientSecret/],
    ['another authentication', { clientAuthentication: 'none' }, /clientAuthentication/],
    ['a key that is none', { clientAuthentication: { privateKeyJwt: 'x' } }, /privateKeyJwt/],
    ['alg none', { idTokenSignedResponseAlg: 'none' }, /idTokenSignedResponseAlg/],
    ['alg constructor', { idTokenSignedResponseAlg: 'constructor' }, /idTokenSignedResponseAlg/],
    ['six minutes of skew', { clockSkewSeconds: 360 }, /clockSkewSeconds/],
    ['a skew that is text', { clockSkewSeconds: '60' }, /clockSkewSeconds/],
    ['an age of nothing', { logoutTokenAgeSeconds: 0 }, /logoutTokenAgeSeconds/],
    [
      'key derivation from a password',
      { idTokenEncryption: { key: {}, alg: 'PBES2-HS512+A256KW', enc: 'A256GCM' } },
      /idTokenEncryption/,
    ],
  ]
  for (const [title, changes, name] of bad) {
    it(`with ${title} are refused at once, saying what to write`, () => {
      const options = { ...good, ...changes }
      assert.throws(() => createProvider(options, environment), {
        name: 'TypeError',
        message: name,
      })
    })
  }
})
