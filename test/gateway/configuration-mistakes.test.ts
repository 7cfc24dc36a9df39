import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfiguration } from '#gateway/configuration/load'
import { ConfigurationError, type Mistake } from '#gateway/configuration/mistake'

const folder = mkdtempSync(join(tmpdir(), 'coatcheck-configuration-'))
after(() => rmSync(folder, { recursive: true }))

const [CERTIFICATE, KEY_FILE] = ['crt', 'key'].map((name) =>
  fileURLToPath(new URL(`../support/tls/localhost.${name}.pem`, import.meta.url)),
)
const another = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
writeFileSync(join(folder, 'other.key'), another.export({ type: 'pkcs8', format: 'pem' }))

const SECRET = 'a-client-secret-that-nobody-may-see'
const KEY = 'a-key-of-more-than-thirty-two-bytes-that-nobody-may-see'
const good: Record<string, string> = {
  origin: 'origin: https://apps.example',
  provider: `provider:\n  issuer: https://op.example\n  clientId: apps\n  clientSecret: ${SECRET}`,
  keys: `keys: [${KEY}]`,
  upstream: 'upstream: http://127.0.0.1:5000',
}

/** The file without the sections of these names, and with these lines at its end. */
function file(lines: string, ...without: string[]): string {
  const sections = Object.entries(good).flatMap(([name, text]) =>
    without.includes(name) ? [] : text,
  )
  return [...sections, lines].join('\n')
}

function mistakesIn(text: string, environment: Record<string, string> = {}): readonly Mistake[] {
  const path = join(folder, 'coatcheck.yaml')
  writeFileSync(path, text)
  try {
    loadConfiguration(path, environment)
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error))
    for (const secret of [SECRET, KEY, 'hidden']) {
      assert.equal(error.message.includes(secret), false, 'a secret is shown')
    }
    return error.mistakes
  }
  return []
}

/** A file with two applications that have these settings. */
function two(one: string, other: string): string {
  const lines = [one, other].map((parts) => `  - { ${parts}, upstream: "http://127.0.0.1:1" }`)
  return file(['applications:', ...lines].join('\n'), 'upstream')
}

const TOLD = 'backchannelLogoutUri: "http://127.0.0.1:1/out"'

/** What was written, the key it is about, the line it is in, and words of the fix. */
const table: [string, string, string, number | undefined, RegExp][] = [
  ['no origin', file('', 'origin'), 'origin', undefined, /missing: .*https:\/\/apps\.example/],
  [
    'an origin with a path',
    file('origin: https://a.example/x', 'origin'),
    'origin',
    7,
    /scheme and host only/,
  ],
  [
    'an origin with a slash at its end',
    file('origin: https://a.example:8180/', 'origin'),
    'origin',
    7,
    /without a slash at its end/,
  ],
  [
    'an origin without TLS',
    file('origin: http://a.example', 'origin'),
    'origin',
    7,
    /http is for localhost only/,
  ],
  [
    'an origin that is a number',
    file('origin: 8080', 'origin'),
    'origin',
    7,
    /a number: write the public origin/,
  ],
  [
    'an origin left empty',
    file('origin:', 'origin'),
    'origin',
    7,
    /empty: write the public origin/,
  ],
  [
    'no provider',
    file('', 'provider'),
    'provider',
    undefined,
    /missing: write an object with issuer, clientId/,
  ],
  [
    'the address of the discovery document as issuer',
    file(
      'provider: { issuer: "https://op.example/.well-known/openid-configuration", clientId: a, clientSecret: b }',
      'provider',
    ),
    'provider.issuer',
    4,
    /without \/\.well-known\/openid-configuration/,
  ],
  [
    'an issuer with a query',
    file(
      'provider: { issuer: "https://op.example?x=1", clientId: a, clientSecret: b }',
      'provider',
    ),
    'provider.issuer',
    4,
    /without query/,
  ],
  [
    'no client id',
    file(`provider: { issuer: https://op.example, clientSecret: ${SECRET} }`, 'provider'),
    'provider.clientId',
    4,
    /missing: write the client id/,
  ],
  [
    'a mistyped setting',
    file(
      `provider: { issuer: https://op.example, clientID: a, clientSecret: ${SECRET} }`,
      'provider',
    ),
    'provider.clientID',
    4,
    /did you mean clientId\?/,
  ],
  [
    'no client secret',
    file('provider: { issuer: https://op.example, clientId: a }', 'provider'),
    'provider.clientSecret',
    4,
    /clientSecretFile/,
  ],
  [
    'an unknown way to authenticate',
    file(
      `provider: { issuer: https://op.example, clientId: a, clientSecret: ${SECRET}, clientAuthentication: client_secret_body }`,
      'provider',
    ),
    'provider.clientAuthentication',
    4,
    /client_secret_post/,
  ],
  [
    'a question that is no yes or no',
    file(
      `provider: { issuer: https://op.example, clientId: a, clientSecret: ${SECRET}, userInfo: always }`,
      'provider',
    ),
    'provider.userInfo',
    4,
    /a text: write true or false/,
  ],
  ['no keys', file('', 'keys'), 'keys', undefined, /openssl rand -base64 32/],
  ['an empty list of keys', file('keys: []', 'keys'), 'keys', 7, /empty: write a list/],
  ['a short key', file('keys: [hidden]', 'keys'), 'keys[0]', 7, /at least 32 bytes/],
  ['a key that is no list', file(`keys: ${KEY}`, 'keys'), 'keys', 7, /a text: write a list/],
  ['keys twice', file('keysFile: keys.txt'), 'keysFile', 8, /`keys` is written too/],
  [
    'a file with keys that is not there',
    file('keysFile: gone.txt', 'keys'),
    'keysFile',
    7,
    /ENOENT.*name one/,
  ],
  [
    'no application',
    file('', 'upstream'),
    'upstream',
    undefined,
    /missing: write where your application listens/,
  ],
  [
    'an upstream with a path',
    file('upstream: http://127.0.0.1:5000/app', 'upstream'),
    'upstream',
    7,
    /scheme and host only/,
  ],
  [
    'an upstream that is the gateway',
    file('upstream: https://apps.example', 'upstream'),
    'upstream',
    7,
    /every request again/,
  ],
  [
    'an upstream and a list of applications',
    file('applications: [{ name: a, upstream: "http://127.0.0.1:1" }]'),
    'upstream',
    7,
    /put this one among them/,
  ],
  [
    'an application without upstream',
    file('applications:\n  - name: wiki', 'upstream'),
    'applications[0].upstream',
    8,
    /missing: write where the application listens/,
  ],
  [
    'an unknown access',
    file(
      'applications:\n  - name: wiki\n    upstream: http://127.0.0.1:1\n    access: signedin',
      'upstream',
    ),
    'applications[0].access',
    10,
    /did you mean signed_in\?/,
  ],
  [
    'two applications of one name',
    file(
      'applications:\n  - { name: a, path: /a, upstream: "http://127.0.0.1:1" }\n  - { name: a, path: /b, upstream: "http://127.0.0.1:2" }',
      'upstream',
    ),
    'applications[1].name',
    9,
    /write another/,
  ],
  [
    'two applications whose sign-outs receipts cannot tell apart',
    two(`name: orders.v1, path: /a, ${TOLD}`, `name: orders_v1, path: /b, ${TOLD}`),
    'applications[1].name',
    9,
    /applications\[0\] .*write one that differs in its letters or digits/,
  ],
  [
    'the same by their capital letters',
    two(`name: A, path: /a, ${TOLD}`, `name: a, path: /b, ${TOLD}`),
    'applications[1].name',
    9,
    /differs in its letters or digits/,
  ],
  [
    'a name that is too long for receipts',
    two('name: a, path: /a', `name: ${'x'.repeat(53)}, path: /b, ${TOLD}`),
    'applications[1].name',
    9,
    /52 characters/,
  ],
  [
    'a path that differs from another by capital letters',
    two('name: a, path: /admin', 'name: b, path: /Admin'),
    'applications[1].path',
    9,
    /applications\[0\].*400.*write another/,
  ],
  [
    'a path below one that differs by capital letters',
    two('name: a, path: /Admin/', 'name: b, path: /admin/x'),
    'applications[1].path',
    9,
    /applications\[0\].*400.*write another/,
  ],
  [
    'an application behind one that takes everything',
    file(
      'applications:\n  - { name: a, upstream: "http://127.0.0.1:1" }\n  - { name: b, path: /b, upstream: "http://127.0.0.1:2" }',
      'upstream',
    ),
    'applications[1]',
    9,
    /put the narrower one first/,
  ],
  [
    'an application in the place of the gateway',
    file(
      'applications:\n  - { name: a, path: /auth/x, upstream: "http://127.0.0.1:1" }',
      'upstream',
    ),
    'applications[0].path',
    8,
    /the gateway’s own: write another/,
  ],
  [
    'a host with a scheme',
    file(
      'applications:\n  - { name: a, host: "https://a.example", upstream: "http://127.0.0.1:1" }',
      'upstream',
    ),
    'applications[0].host',
    8,
    /without scheme/,
  ],
  [
    'an application at a host where nobody is ever signed in',
    file(
      'applications:\n  - { name: a, host: a.example, upstream: "http://127.0.0.1:1" }',
      'upstream',
    ),
    'applications[0].host',
    8,
    /cookie belongs to the host of origin.*path.*access: public.*as its origin/,
  ],
  [
    'a resource that is no URI',
    file(
      'applications:\n  - { name: a, accessToken: { resource: api }, upstream: "http://127.0.0.1:1" }',
      'upstream',
    ),
    'applications[0].accessToken.resource',
    8,
    /absolute URI/,
  ],
  ['a store nobody knows', file('store: mysql://localhost'), 'store', 8, /redis:\/\//],
  [
    'replicas below zero',
    file('store: { url: "redis://:hidden@localhost", confirmReplicas: -1 }'),
    'store.confirmReplicas',
    8,
    /0 or more/,
  ],
  [
    'a store that is nowhere',
    file('store: { confirmReplicas: 1 }'),
    'store.url',
    8,
    /missing: write the URL, or sentinels and masterName, or cluster/,
  ],
  [
    'a store in two places',
    file('store: { url: "redis://h", cluster: [a] }'),
    'store.cluster',
    8,
    /`url` is written too/,
  ],
  [
    'Sentinels of nobody knows what',
    file('store: { sentinels: [a] }'),
    'store.masterName',
    8,
    /missing: .*mymaster/,
  ],
  [
    'a mistyped part of the store',
    file('store: { sentinels: [a], masterName: m, sentinelPasswort: hidden }'),
    'store.sentinelPasswort',
    8,
    /did you mean sentinelPassword\?/,
  ],
  [
    'a Sentinel with a scheme',
    file('store: { sentinels: ["redis://:hidden@a"], masterName: m }'),
    'store.sentinels[0]',
    8,
    /redis-1:26379/,
  ],
  ['nodes that are no list', file('store: { cluster: a }'), 'store.cluster', 8, /write a list/],
  [
    'a password of Sentinels that are not there',
    file('store: { cluster: [a], sentinelPassword: hidden }'),
    'store.sentinelPassword',
    8,
    /for Sentinels/,
  ],
  [
    'a second database of a Cluster',
    file('store: { cluster: [a], database: 1 }'),
    'store.database',
    8,
    /one database only/,
  ],
  [
    'two passwords',
    file('store: { url: "redis://:hidden@h", password: hidden }'),
    'store.password',
    8,
    /write both here, or both there/,
  ],
  [
    'a Redis database that is no number',
    file('store: redis://:hidden@h/x'),
    'store',
    8,
    /no number of a database/,
  ],
  [
    'a Redis database with more behind it',
    file('store: { url: "redis://h/1/2" }'),
    'store.url',
    8,
    /redis:\/\/host:6379\/2/,
  ],
  [
    'settings of a driver in the URL of Redis',
    file('store: "redis://h?keyPrefix=hidden"'),
    'store',
    8,
    /beside url/,
  ],
  [
    'a percent sign in the password of a Redis URL',
    file('msal:\n  - { url: "redis://:hid%den@h", keys: [a*] }'),
    'msal[0].url',
    9,
    /write %25, or passwordFile/,
  ],
  [
    'certificates of an authority that are none',
    file('store: { url: "rediss://h", tls: { ca: coatcheck.yaml } }'),
    'store.tls.ca',
    8,
    /holds no certificate/,
  ],
  [
    'a folder where a certificate should be',
    file('store: { url: "rediss://h", tls: { ca: . } }'),
    'store.tls.ca',
    8,
    /cannot be read \(EISDIR\)/,
  ],
  [
    'a key that is none',
    file(`listen: { tls: { certificate: ${CERTIFICATE}, key: ${CERTIFICATE} } }`),
    'listen.tls.key',
    8,
    /no private key/,
  ],
  [
    'a key of another certificate',
    file(`listen: { tls: { certificate: ${CERTIFICATE}, key: other.key } }`),
    'listen.tls.key',
    8,
    /the key of another certificate/,
  ],
  [
    'TLS where the URL says otherwise',
    file('store: { url: "redis://h", tls: true }'),
    'store.tls',
    8,
    /write rediss:\/\//,
  ],
  [
    'replicas of a folder',
    file('store: { url: ./sessions, confirmReplicas: 1 }'),
    'store.confirmReplicas',
    8,
    /for Redis.*leave it out/,
  ],
  [
    'a file with a password that is not there',
    file('store: { cluster: [a], passwordFile: gone.txt }'),
    'store.passwordFile',
    8,
    /ENOENT.*name one/,
  ],
  [
    'a certificate authority that is not there',
    file('store: { cluster: [a], tls: { ca: gone.pem } }'),
    'store.tls.ca',
    8,
    /ENOENT.*PEM/,
  ],
  [
    'a certificate without its key',
    file(`store: { cluster: [a], tls: { certificate: ${CERTIFICATE} } }`),
    'store.tls.key',
    8,
    /missing: write certificate and key/,
  ],
  [
    'a cache without keys',
    file('msal:\n  - url: redis://h'),
    'msal[0].keys',
    9,
    /missing: .*Orders_\* for an application with InstanceName/,
  ],
  [
    'a cache that is no Redis',
    file('msal: [{ url: "postgres://u:hidden@h/d", keys: [a*] }]'),
    'msal[0].url',
    8,
    /rediss:\/\//,
  ],
  [
    'a mistyped part of a cache',
    file('msal:\n  - { url: "redis://h", keys: [a*], instanceName: a }'),
    'msal[0].instanceName',
    9,
    /write one of name, url/,
  ],
  [
    'two caches that receipts cannot tell apart',
    file('msal:\n  - { url: "redis://h", keys: [a*] }\n  - { url: "redis://g", keys: [a*] }'),
    'msal[1].name',
    10,
    /missing.*tell them apart/,
  ],
  [
    'a password of a cache in a file that is not there',
    file('msal:\n  - { url: "redis://h", keys: [a*], passwordFile: gone.txt }'),
    'msal[0].passwordFile',
    9,
    /ENOENT.*name one/,
  ],
  ['a port too large', file('listen: 70000'), 'listen', 8, /write a port/],
  [
    'a mistyped part of listen',
    file('listen:\n  port: 80\n  trustedProxys: []'),
    'listen.trustedProxys',
    10,
    /did you mean trustedProxies\?/,
  ],
  [
    'a proxy that is a name',
    file('listen: { trustedProxies: [proxy.internal] }'),
    'listen.trustedProxies[0]',
    8,
    /10\.0\.0\.0\/8/,
  ],
  [
    'everybody as a proxy',
    file('listen: { trustedProxies: [127.0.0.1, 0.0.0.0/0] }'),
    'listen.trustedProxies[1]',
    8,
    /everybody.*10\.0\.0\.0\/8/,
  ],
  [
    'everybody as a proxy, by IPv6',
    file('listen: { trustedProxies: ["::/0"] }'),
    'listen.trustedProxies[0]',
    8,
    /everybody/,
  ],
  [
    'a certificate that is not there',
    file(`listen: { tls: { certificate: a.pem, key: ${KEY_FILE} } }`),
    'listen.tls.certificate',
    8,
    /ENOENT.*PEM/,
  ],
  [
    'a token endpoint for everybody',
    file('tokenEndpoint: 0.0.0.0:4190'),
    'tokenEndpoint',
    8,
    /this machine only/,
  ],
  [
    'a token endpoint on the gateway’s own port',
    file('tokenEndpoint: 4180'),
    'tokenEndpoint',
    8,
    /write another/,
  ],
  [
    'a port for forward-auth and for browsers',
    file('forwardAuth: { path: /check, port: 4180 }\nlisten: { trustedProxies: [::1] }'),
    'forwardAuth',
    8,
    /listen has this port too.*forwardAuth\.port/,
  ],
  [
    'the port that forward-auth has unless told otherwise',
    file('forwardAuth: /check\nlisten: { port: 4181, trustedProxies: [::1] }'),
    'forwardAuth',
    8,
    /listen has this port too.*4181.*forwardAuth\.port/,
  ],
  [
    'the same where it has an application',
    file(
      'forwardAuth: { path: /check, application: application }\nlisten: { host: 0.0.0.0, port: 4181, trustedProxies: [::1] }',
    ),
    'forwardAuth',
    8,
    /forwardAuth\.port/,
  ],
  [
    'a port for metrics and for tokens',
    file('operations: 4190\ntokenEndpoint: 4190'),
    'tokenEndpoint',
    9,
    /operations has this port too: write another/,
  ],
  [
    'forward-auth for an application nobody knows',
    file('forwardAuth: { path: /check, application: wiki }\nlisten: { trustedProxies: [::1] }'),
    'forwardAuth.application',
    8,
    /write application/,
  ],
  [
    'forward-auth that nobody may ask',
    file('forwardAuth: /check'),
    'forwardAuth',
    8,
    /write the addresses of the other proxy in listen\.trustedProxies/,
  ],
  [
    'forward-auth in a taken place',
    file('forwardAuth: /auth/callback\nlisten: { trustedProxies: [::1] }'),
    'forwardAuth',
    8,
    /such as \/forward-auth/,
  ],
  [
    'a header that is none',
    file('headers: { user: "X User" }'),
    'headers.user',
    8,
    /X-Forwarded-User/,
  ],
  [
    'a header twice',
    file('headers: { email: x-forwarded-user }'),
    'headers.email',
    8,
    /headers\.user has this name too/,
  ],
  [
    'a header of HTTP',
    file('headers: { user: Authorization }'),
    'headers.user',
    8,
    /write another/,
  ],
  [
    'a header that servers which fold names take for another',
    file('headers: { user: X-A, email: x_a }'),
    'headers.email',
    8,
    /headers\.user .*letters and digits.*write another/,
  ],
  ...[
    'Origin',
    'Accept',
    'accept_language',
    'Sec-Fetch-Site',
    'Sec-Fetch-User',
    'X-Requested-With',
    'Host',
    'Cookie',
    'COOKIE_',
    'Keep-Alive',
    'Proxy-Authorization',
    'Trailer',
    'Expect',
    'Transfer_Encoding',
    'Content-Type',
    'X-Real-IP',
    'X-Forwarded-Prefix',
  ].map((name): [string, string, string, number, RegExp] => [
    `a header that means something else: ${name}`,
    file(`headers: { identity: ${name} }`),
    'headers.identity',
    8,
    /something else.*write another/,
  ]),
  [
    'a limit that is a text',
    file('limits: { requestBytes: 10MB }'),
    'limits.requestBytes',
    8,
    /a text: write a whole number of bytes/,
  ],
  [
    'an idle time of nothing',
    file('session: { idleSeconds: 0 }'),
    'session.idleSeconds',
    8,
    /above 0/,
  ],
  [
    'an idle time beyond the session',
    file('session: { idleSeconds: 90000 }'),
    'session.idleSeconds',
    8,
    /lifetimeSeconds/,
  ],
  ['a scope without openid', file('scope: profile'), 'scope', 8, /openid among them/],
  ['a level nobody knows', file('log: warning'), 'log', 8, /warn/],
  [
    'a setting in the wrong place',
    file('trustedProxies: []'),
    'trustedProxies',
    8,
    /belongs to listen/,
  ],
  ['a setting nobody knows', file('colour: blue'), 'colour', 8, /write one of origin, provider/],
  ['a setting twice', file('scope: openid\nscope: openid'), '', 9, /leave one of the two/],
  ['a tab', file('session:\n\tidleSeconds: 5'), '', 9, /by spaces, not by tabs/],
  ['a secret with an asterisk', file('scope: *hidden'), '', undefined, /into quotes/],
  ['a list instead of settings', '- origin', 'configuration', undefined, /a list: write settings/],
]

describe('a mistake in the configuration is answered with its key, its line and what to write', () => {
  for (const [title, text, key, line, fix] of table) {
    it(title, () => {
      const mistakes = mistakesIn(text)
      const mistake = mistakes.find((one) => one.key === key)
      assert.ok(mistake, `only ${JSON.stringify(mistakes)}`)
      assert.match(mistake.message, fix)
      if (line !== undefined)
        assert.match(String(mistake.where), new RegExp(`coatcheck\\.yaml:${line}$`))
      assert.equal(mistakes.length, 1, JSON.stringify(mistakes))
    })
  }

  it('says all at once, those of the environment too', () => {
    const mistakes = mistakesIn(file('log: loud\nlisten: nowhere\ncolour: blue', 'origin'), {
      COATCHECK_PROVIDER__CLIENT_SECRETS: 'hidden',
      COATCHECK_SESSION__IDLE_SECONDS: 'an hour',
    })
    assert.deepEqual(mistakes.map(({ key }) => key).sort(), [
      'COATCHECK_PROVIDER__CLIENT_SECRETS',
      'colour',
      'listen',
      'log',
      'origin',
      'session.idleSeconds',
    ])
  })

  it('names the environment variable that is wrong, and the one that was meant', () => {
    const [unknown] = mistakesIn(file(''), { COATCHECK_PROVIDER__CLIENT_SECRETS: 'hidden' })
    assert.match(String(unknown?.message), /did you mean COATCHECK_PROVIDER__CLIENT_SECRET\?/)
    const [wrong] = mistakesIn(file(''), { COATCHECK_LISTEN__PORT: 'http' })
    assert.deepEqual([wrong?.key, wrong?.where], ['listen.port', 'COATCHECK_LISTEN__PORT'])
  })
})

describe('what goes well together is no mistake', () => {
  for (const [title, text] of [
    [
      'names that only receipts would take for one, of applications that are not told',
      two(`name: orders.v1, path: /a, ${TOLD}`, 'name: orders_v1, path: /b'),
    ],
    [
      'a long name nobody is told by',
      two('name: a, path: /a', `name: ${'x'.repeat(300)}, path: /b`),
    ],
    [
      'a name as long as may be',
      two('name: a, path: /a', `name: ${'x'.repeat(52)}, path: /b, ${TOLD}`),
    ],
    ['paths that begin alike', two('name: a, path: /admin', 'name: b, path: /Admins')],
    ['a narrower path first', two('name: a, path: /Admin/x', 'name: b, path: /admin')],
    ['a port at two addresses', file('operations: 127.0.0.1:9000\nlisten: 10.0.0.1:9000')],
    ['any free port, twice', file('operations: 0\nlisten: 0')],
    ['other names', file('headers: { user: Remote-User, groups: Remote-Groups, email: Mail }')],
  ] as const) {
    it(title, () => assert.deepEqual(mistakesIn(text), []))
  }
})
