import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AuthOptions, createAuth } from '#coatcheck'
import { memoryStore } from '#coatcheck/stores/memory'

const GOOD = {
  origin: 'https://app.example',
  provider: { issuer: 'https://op.example', clientId: 'app', clientSecret: 'a secret' },
  keys: ['x'.repeat(32)],
} as const

const { claim, sweep, ...halfAStore } = memoryStore()

const provider = (over: object): object => ({ provider: { ...GOOD.provider, ...over } })
const parameters = (over: object): object => ({ authorizationParameters: over })

/** An option, how it is wrong, and the words that a person needs to mend it. */
const WRONG: [string, object, RegExp][] = [
  ['no origin', { origin: undefined }, /`origin` is missing: .*"https:\/\/app\.example"/],
  ['an origin that is no URL', { origin: 'app.example' }, /`origin`.*scheme and host.*such as/],
  ['an origin with a slash', { origin: 'https://app.example/' }, /`origin`.*without a slash/],
  ['an origin with a path', { origin: 'https://app.example/app' }, /`origin`.*scheme and host/],
  ['an origin in capitals', { origin: 'https://APP.example' }, /`origin`.*scheme and host/],
  ['an origin with a user', { origin: 'https://u@app.example' }, /`origin`.*scheme and host/],
  ['an origin with its own port', { origin: 'https://app.example:443' }, /`origin`/],
  [
    'a plain http origin',
    { origin: 'http://app.example' },
    /`origin` must be https, or http on localhost/,
  ],
  [
    'http on a look-alike of loopback',
    { origin: 'http://localhost.example' },
    /`origin` must be https/,
  ],
  ['http on 127.1 as a name', { origin: 'http://127.0.0.1.example' }, /`origin` must be https/],
  ['an origin of a file', { origin: 'file:///x' }, /`origin`/],
  ['a URL object', { origin: new URL('https://app.example') }, /`origin`/],
  ['no provider', { provider: undefined }, /`provider\.issuer` is missing: write the issuer URL/],
  ['no issuer', provider({ issuer: undefined }), /`provider\.issuer` is missing/],
  [
    'a plain http issuer',
    provider({ issuer: 'http://op.example' }),
    /`provider\.issuer` must be https/,
  ],
  ['an issuer with a query', provider({ issuer: 'https://op.example?x' }), /issuer.*without query/],
  ['an issuer with a user', provider({ issuer: 'https://u@op.example' }), /issuer.*without.*user/],
  ['no client id', provider({ clientId: '' }), /`provider\.clientId` is missing: write/],
  [
    'no client secret',
    provider({ clientSecret: undefined }),
    /`provider\.clientSecret` is missing.*privateKeyJwt/,
  ],
  [
    'an unknown authentication',
    provider({ clientAuthentication: 'none' }),
    /clientAuthentication: write client_secret_basic/,
  ],
  [
    'a private key that is text',
    provider({ clientAuthentication: { privateKeyJwt: 'PEM' } }),
    /privateKeyJwt: give a private CryptoKey/,
  ],
  [
    'alg none',
    provider({ idTokenSignedResponseAlg: 'none' }),
    /idTokenSignedResponseAlg: write one of RS256/,
  ],
  [
    'a skew of ten minutes',
    provider({ clockSkewSeconds: 600 }),
    /clockSkewSeconds: .*between 0 and 300/,
  ],
  ['a skew below zero', provider({ clockSkewSeconds: -1 }), /clockSkewSeconds/],
  [
    'an encryption without key',
    provider({ idTokenEncryption: { alg: 'RSA-OAEP', enc: 'A256GCM' } }),
    /idTokenEncryption: give key/,
  ],
  ['no store', { store: undefined }, /`store` is missing: write `store: memoryStore\(\)`/],
  [
    'a store that is not called yet',
    { store: memoryStore },
    /`store` is missing: write `store: memoryStore\(\)`/,
  ],
  ['a cache in place of a store', { store: new Map() }, /`store` is no token store.*insert/],
  ['a store without two methods', { store: halfAStore }, /it has no claim, sweep/],
  [
    'no keys',
    { keys: undefined },
    /`keys` is missing: write `keys: \[process\.env\.COATCHECK_KEY\]`.*openssl/,
  ],
  ['an empty list of keys', { keys: [] }, /`keys` is missing/],
  [
    'one key that is not in a list',
    { keys: 'x'.repeat(32) },
    /`keys` must be a list.*write `keys: \[/,
  ],
  ['an origin left empty', { origin: '' }, /`origin` is missing: write/],
  ['a key that is not set', { keys: [undefined] }, /Each of `keys`.*32 bytes.*openssl/],
  ['a key of 31 bytes', { keys: ['x'.repeat(31)] }, /Each of `keys`.*at least 32 bytes/],
  ['a second key that is short', { keys: ['x'.repeat(32), 'short'] }, /Each of `keys`/],
  ['a key of 31 raw bytes', { keys: [new Uint8Array(31)] }, /Each of `keys`/],
  ['a key that is a number', { keys: [123_456] }, /Each of `keys`/],
  ['a scope without openid', { scope: 'profile email' }, /`scope` must contain "openid"/],
  ['a scope that only looks like it', { scope: 'openidx OPENID' }, /`scope` must contain "openid"/],
  ['a list of scopes', { scope: ['openid'] }, /`scope` must contain "openid", such as/],
  ['a relative resource', { resources: ['/api'] }, /`resource` is an absolute URI/],
  [
    'a resource with a fragment',
    { resources: ['https://api.example#x'] },
    /absolute URI without #/,
  ],
  [
    'one resource that is not in a list',
    { resources: 'https://api.example' },
    /`resources` must be a list/,
  ],
  [
    'a resource that is a URL object',
    { resources: [new URL('https://api.example')] },
    /absolute URI/,
  ],
  [
    'another response mode',
    { responseMode: 'fragment' },
    /`responseMode` must be "query" or "form_post"/,
  ],
  ['userInfo as text', { userInfo: 'false' }, /`userInfo` must be true or false/],
  ['an observer that is no function', { observe: {} }, /`observe` must be a function/],
  [
    'a parameter that is no text',
    parameters({ max_age: 60 }),
    /authorizationParameters\.max_age` must be text/,
  ],
  ['a max_age that is no number', parameters({ max_age: '1h' }), /max_age` must be seconds/],
  [
    'a state for all',
    parameters({ state: 'x' }),
    /authorizationParameters\.state` has no effect.*every sign-in/,
  ],
  ['a nonce for all', parameters({ nonce: 'x' }), /nonce` has no effect/],
  [
    'another redirect URI',
    parameters({ redirect_uri: 'x' }),
    /redirect_uri` has no effect.*`routes\.callback`/,
  ],
  ['a scope among the parameters', parameters({ scope: 'openid x' }), /write it as `scope`/],
  ['a resource among the parameters', parameters({ resource: 'x' }), /write it as `resources`/],
  [
    'a response mode among the parameters',
    parameters({ response_mode: 'form_post' }),
    /write it as `responseMode`/,
  ],
  [
    'a response type',
    parameters({ response_type: 'token' }),
    /response_type` has no effect.*"code"/,
  ],
  ['plain PKCE', parameters({ code_challenge_method: 'plain' }), /code_challenge_method/],
  ['a request object', parameters({ request: 'a.b.c' }), /authorizationParameters\.request`/],
  ['a request by name', parameters({ request_uri: 'urn:x' }), /pushedAuthorizationRequests/],
  [
    'a route that is no path',
    { routes: { signIn: 'auth' } },
    /`routes\.signIn` must be a path such as/,
  ],
  ['a route with a query', { routes: { signIn: '/in?x' } }, /`routes\.signIn` must be a path/],
  [
    'a route with a slash at its end',
    { routes: { signIn: '/in/' } },
    /`routes\.signIn` must be a path/,
  ],
  ['the root as a route', { routes: { signIn: '/' } }, /`routes\.signIn` must be a path/],
  [
    'a route that reads as a host',
    { routes: { signIn: '//evil.example' } },
    /`routes\.signIn` must be a path/,
  ],
  [
    'a route with dot segments',
    { routes: { signIn: '/a/../in' } },
    /`routes\.signIn` must be a path/,
  ],
  ['a route that is a dot', { routes: { signIn: '/a/.' } }, /`routes\.signIn` must be a path/],
  ['a route that is not set', { routes: { signIn: undefined } }, /`routes\.signIn` must be a path/],
  [
    'two routes of one path',
    { routes: { signIn: '/auth/callback' } },
    /is the path of another route too/,
  ],
  [
    'a route nobody knows',
    { routes: { login: '/login' } },
    /`routes\.login` is no option: write one of signIn/,
  ],
  [
    'a lifetime of nothing',
    { session: { lifetimeSeconds: 0 } },
    /`session\.lifetimeSeconds` must be a number of seconds above 0/,
  ],
  ['an endless lifetime', { session: { lifetimeSeconds: Infinity } }, /`session\.lifetimeSeconds`/],
  ['an idle limit that is text', { session: { idleSeconds: '60' } }, /`session\.idleSeconds`/],
  [
    'an idle limit that is no number',
    { session: { idleSeconds: Number.NaN } },
    /`session\.idleSeconds`/,
  ],
  [
    'a revalidation below zero',
    { session: { revalidateSeconds: -5 } },
    /`session\.revalidateSeconds`/,
  ],
]

describe('createAuth refuses at once, and says what to write, for', () => {
  for (const [title, over, words] of WRONG) {
    it(title, () => {
      const options = { ...GOOD, store: memoryStore(), ...over } as unknown as AuthOptions
      assert.throws(
        () => createAuth(options),
        (error) => {
          assert.ok(error instanceof TypeError, String(error))
          assert.match(error.message, words)
          // Nothing of a secret, however wrong it is.
          assert.doesNotMatch(error.message, /a secret|xxx|short|123/)
          return true
        },
      )
    })
  }

  for (const options of [undefined, null, 'https://app.example', 7]) {
    it(`${options} in place of options`, () => {
      const message = /createAuth needs an object with origin, provider, store and keys/
      assert.throws(() => createAuth(options as unknown as AuthOptions), {
        name: 'TypeError',
        message,
      })
    })
  }
})

describe('createAuth takes', () => {
  const right: [string, object][] = [
    ['the four that have no default, and nothing else', {}],
    ['http on localhost', { origin: 'http://localhost:3000' }],
    ['http on a name below localhost', { origin: 'http://a.localhost' }],
    ['http on 127.0.0.1', { origin: 'http://127.0.0.1:8080' }],
    ['http on [::1]', { origin: 'http://[::1]:8080' }],
    ['a loopback provider', provider({ issuer: 'http://localhost:8080/realms/x' })],
    ['an issuer with a slash at its end', provider({ issuer: 'https://op.example/' })],
    ['a key of exactly 32 bytes in few characters', { keys: ['\u{1f511}'.repeat(8)] }],
    ['raw bytes as a key', { keys: [new Uint8Array(32)] }],
    [
      'what a provider wants beside the standard',
      parameters({ audience: 'x', hd: 'y', prompt: 'login', max_age: '0' }),
    ],
    [
      'routes at the root, with dots and tildes',
      { routes: { signIn: '/sign.in~', callback: '/..a' } },
    ],
    ['fractions of seconds', { session: { idleSeconds: 0.5 } }],
  ]
  for (const [title, over] of right) {
    it(title, async () => {
      const options = { ...GOOD, store: memoryStore(), ...over } as AuthOptions
      await createAuth(options).close()
    })
  }
})
