import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import type { GatewayConfiguration } from '#gateway/configuration/configuration'
import { loadConfiguration } from '#gateway/configuration/load'
import { ConfigurationError } from '#gateway/configuration/mistake'
import { jsonSchema } from '#gateway/configuration/schema'
import { allSettings } from '#gateway/configuration/settings'
import { filesUnder } from '../../scripts/files.ts'
import { root } from '../../scripts/run.mjs'

const folder = mkdtempSync(join(tmpdir(), 'coatcheck-configuration-'))
after(() => rmSync(folder, { recursive: true }))

const KEY = 'a key for tests of thirty-two bytes at least'
const OTHER_KEY = 'another key for tests of thirty-two bytes at least'
const MINIMAL = `
origin: https://apps.example
provider: { issuer: https://op.example, clientId: apps, clientSecret: secret }
keys: ["${KEY}"]
upstream: http://127.0.0.1:5000
`

const REDIS = { username: undefined, password: undefined, tls: undefined }

function load(text: string, environment: Record<string, string> = {}): GatewayConfiguration {
  const file = join(folder, 'coatcheck.yaml')
  writeFileSync(file, text)
  return loadConfiguration(file, environment)
}

function mistakesOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof ConfigurationError, String(error))
    return error.message
  }
  return ''
}

describe('a configuration', () => {
  it('of five lines is enough for one application', () => {
    const { applications, store, listen, limits, headers, log } = load(MINIMAL)
    assert.deepEqual(
      applications.map(({ name, path, access, audience, upstream }) => [
        name,
        path,
        access,
        audience,
        upstream,
      ]),
      [['application', '/', 'signed_in', 'application', 'http://127.0.0.1:5000']],
    )
    assert.deepEqual(store, { kind: 'lmdb', path: join(folder, 'coatcheck-sessions') })
    assert.deepEqual([listen.host, listen.port, listen.tls], ['127.0.0.1', 4180, undefined])
    assert.equal(headers.user, 'X-Forwarded-User')
    assert.equal(limits.streamCheckSeconds, 5)
    assert.equal(log.level, 'info')
  })

  it('takes a store in one line', () => {
    const of = (store: string) => load(`${MINIMAL}store: ${store}`).store
    assert.deepEqual(of('memory'), { kind: 'memory' })
    assert.deepEqual(of('./folder'), { kind: 'lmdb', path: join(folder, 'folder') })
    assert.deepEqual(of('/var/lib/coatcheck'), { kind: 'lmdb', path: '/var/lib/coatcheck' })
    const redis = {
      kind: 'redis',
      servers: { ...REDIS, at: { kind: 'single', url: 'redis://h:1/2' } },
      confirmReplicas: undefined,
    }
    assert.deepEqual(of('redis://h:1/2'), redis)
    assert.deepEqual(of('{ url: "redis://h:1/2", confirmReplicas: 1 }'), {
      ...redis,
      confirmReplicas: 1,
    })
    assert.deepEqual(of('postgres://u@h/db'), { kind: 'postgres', url: 'postgres://u@h/db' })
  })

  it('takes applications at other hosts where they are public, and at other ports of its own', () => {
    const { applications } = load(`${MINIMAL.replace(/^upstream.*$/m, '')}applications:
  - { name: shop, host: shop.example, access: public, upstream: 'http://127.0.0.1:1' }
  - { name: staff, host: 'apps.example:8443', upstream: 'http://127.0.0.1:2' }
  - { name: wiki, host: apps.example, upstream: 'http://127.0.0.1:3' }`)
    assert.equal(applications.length, 3)
  })

  it('takes a Redis behind Sentinels, or a Cluster, as the store', () => {
    const certificate = new URL('../support/tls/localhost.crt.pem', import.meta.url)
    copyFileSync(certificate, join(folder, 'ca.pem'))
    const { store } = load(`${MINIMAL}store:
  sentinels: [redis-1, 'redis-2:5000', '[::1]:5001']
  masterName: main
  sentinelPassword: theirs
  password: its
  database: 2
  tls: { ca: ca.pem }
  confirmReplicas: 1`)
    assert.deepEqual(store, {
      kind: 'redis',
      servers: {
        at: {
          kind: 'sentinels',
          sentinels: [
            { host: 'redis-1', port: 26_379 },
            { host: 'redis-2', port: 5000 },
            { host: '::1', port: 5001 },
          ],
          masterName: 'main',
          username: undefined,
          password: 'theirs',
          database: 2,
        },
        username: undefined,
        password: 'its',
        tls: { ca: join(folder, 'ca.pem'), certificate: undefined, key: undefined },
      },
      confirmReplicas: 1,
    })
    const cluster = load(`${MINIMAL}store: { cluster: [a, 'b:7000'], tls: true }`).store
    assert.deepEqual(cluster.kind === 'redis' && cluster.servers.at, {
      kind: 'cluster',
      nodes: [
        { host: 'a', port: 6379 },
        { host: 'b', port: 7000 },
      ],
    })
  })

  it('takes several caches of Microsoft’s libraries', () => {
    writeFileSync(join(folder, 'password'), 'of the cache\n')
    const { msal = [] } = load(`${MINIMAL}msal:
  - { url: 'redis://cache', keys: [Orders_*] }
  - { name: mail, sentinels: [s], masterName: m, passwordFile: password, keys: ['mail:{account}', 'x*'] }`)
    assert.deepEqual(
      msal.map(({ name, keys, servers }) => [name, keys, servers.at.kind, servers.password]),
      [
        ['msal', ['Orders_*'], 'single', undefined],
        ['msal-mail', ['mail:{account}', 'x*'], 'sentinels', 'of the cache'],
      ],
    )
  })

  it('takes addresses, levels and paths in short', () => {
    const { listen, operations, tokenEndpoint, log } = load(
      `${MINIMAL}listen: 0.0.0.0:80\noperations: 9090\ntokenEndpoint: unix:./token.sock\nlog: warn`,
    )
    assert.deepEqual([listen.host, listen.port], ['0.0.0.0', 80])
    assert.deepEqual(operations, { host: '127.0.0.1', port: 9090 })
    assert.deepEqual(tokenEndpoint, { socket: join(folder, 'token.sock') })
    const proxied = 'listen: { trustedProxies: [10.0.0.1] }\nforwardAuth: /check'
    assert.deepEqual(load(MINIMAL + proxied).forwardAuth, {
      path: '/check',
      application: 'application',
      host: '127.0.0.1',
      port: 4181,
    })
    assert.equal(log.level, 'warn')
    assert.deepEqual(load(`${MINIMAL}tokenEndpoint: "[::1]:4190"`).tokenEndpoint, {
      host: '::1',
      port: 4190,
    })
  })
})

describe('the environment', () => {
  it('is a configuration by itself', () => {
    const configuration = loadConfiguration(undefined, {
      COATCHECK_ORIGIN: 'https://apps.example',
      COATCHECK_PROVIDER__ISSUER: 'https://op.example',
      COATCHECK_PROVIDER__CLIENT_ID: 'apps',
      COATCHECK_PROVIDER__CLIENT_SECRET: 'secret',
      COATCHECK_KEYS: `${KEY},${OTHER_KEY}`,
      COATCHECK_APPLICATIONS__0__NAME: 'wiki',
      COATCHECK_APPLICATIONS__0__PATH: '/wiki',
      COATCHECK_APPLICATIONS__0__UPSTREAM: 'http://127.0.0.1:1',
      COATCHECK_APPLICATIONS__0__STRIP_PATH: 'true',
      COATCHECK_APPLICATIONS__0__ACCESS_TOKEN: 'true',
      COATCHECK_APPLICATIONS__1__NAME: 'shop',
      COATCHECK_APPLICATIONS__1__UPSTREAM: 'http://127.0.0.1:2',
      COATCHECK_LISTEN__PORT: '8080',
      COATCHECK_LISTEN__TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      COATCHECK_SESSION__IDLE_SECONDS: '600',
      COATCHECK_OPERATIONS: '9090',
      COATCHECK_SCOPE: '',
    })
    assert.deepEqual(configuration.keys, [KEY, OTHER_KEY])
    assert.deepEqual(
      configuration.applications.map(({ name, stripPath, accessToken }) => [
        name,
        stripPath,
        accessToken,
      ]),
      [
        ['wiki', true, true],
        ['shop', false, undefined],
      ],
    )
    assert.equal(configuration.listen.port, 8080)
    assert.deepEqual(configuration.listen.trustedProxies, ['10.0.0.0/8', '::1'])
    assert.equal(configuration.session.idleSeconds, 600)
    assert.deepEqual(configuration.operations, { host: '127.0.0.1', port: 9090 })
    assert.equal(configuration.scope, 'openid profile email')
  })

  it('reaches Sentinels, nodes and caches with their passwords', () => {
    const { store, msal = [] } = load(MINIMAL, {
      COATCHECK_STORE__SENTINELS: 's1:1, s2',
      COATCHECK_STORE__MASTER_NAME: 'main',
      COATCHECK_STORE__SENTINEL_PASSWORD: 'theirs',
      COATCHECK_STORE__PASSWORD: 'its',
      COATCHECK_STORE__TLS: 'true',
      COATCHECK_STORE__CONFIRM_REPLICAS: '1',
      COATCHECK_MSAL__0__CLUSTER: 'n1,n2:2',
      COATCHECK_MSAL__0__PASSWORD: 'of the cache',
      COATCHECK_MSAL__0__KEYS: 'Orders_*, mail:{account}',
      COATCHECK_PROVIDER__USER_INFO: 'true',
    })
    assert.ok(store.kind === 'redis' && store.servers.at.kind === 'sentinels')
    const { at, password, tls } = store.servers
    assert.deepEqual(
      [at.sentinels, at.masterName, at.password],
      [
        [
          { host: 's1', port: 1 },
          { host: 's2', port: 26_379 },
        ],
        'main',
        'theirs',
      ],
    )
    assert.deepEqual([password, tls !== undefined, store.confirmReplicas], ['its', true, 1])
    assert.deepEqual(
      msal.map(({ servers, keys }) => [servers.at.kind, servers.password, keys]),
      [['cluster', 'of the cache', ['Orders_*', 'mail:{account}']]],
    )
  })

  it('goes over the file, setting by setting', () => {
    const { provider, limits } = load(`${MINIMAL}limits: { connections: 5, headerBytes: 4096 }`, {
      COATCHECK_PROVIDER__CLIENT_ID: 'other',
      COATCHECK_LIMITS__CONNECTIONS: '7',
    })
    assert.equal(provider.clientId, 'other')
    assert.equal(provider.issuer, 'https://op.example')
    assert.deepEqual([limits.connections, limits.headerBytes], [7, 4096])
  })

  it('has a variable for every setting', () => {
    const variables = allSettings().map(({ variable }) => variable)
    assert.equal(new Set(variables).size, variables.length)
    assert.ok(variables.includes('COATCHECK_PROVIDER__CLIENT_SECRET_FILE'))
    for (const variable of variables) {
      const said = mistakesOf(() => load(MINIMAL, { [variable]: '\u0000' }))
      assert.doesNotMatch(said, /environment\): there is no such setting/, variable)
    }
  })

  it('cannot go into what the file has in short', () => {
    const said = mistakesOf(() =>
      load(`${MINIMAL}listen: 8080`, { COATCHECK_LISTEN__TRUSTED_PROXIES: '::1' }),
    )
    assert.match(said, /listen\.trustedProxies \(COATCHECK_LISTEN__TRUSTED_PROXIES\).*in full/)
  })

  it('may hold what Kubernetes tells of a service of this name', () => {
    load(MINIMAL, {
      COATCHECK_SERVICE_HOST: '10.0.0.1',
      COATCHECK_SERVICE_PORT: '80',
      COATCHECK_SERVICE_PORT_HTTP: '80',
      COATCHECK_PORT: 'tcp://10.0.0.1:80',
      COATCHECK_PORT_80_TCP: 'tcp://10.0.0.1:80',
      COATCHECK_PORT_80_TCP_ADDR: '10.0.0.1',
      COATCHECK_REDIS_SERVICE_HOST: '10.0.0.2',
    })
  })
})

describe('a secret in a file of its own', () => {
  it('is read, from a path beside the configuration or from the environment', () => {
    writeFileSync(join(folder, 'secret'), 'from a file\n')
    writeFileSync(join(folder, 'keys'), `${OTHER_KEY}\n${KEY}\n`)
    writeFileSync(join(folder, 'store'), 'redis://:pass@h\n')
    const configuration = load(
      `
origin: https://apps.example
provider: { issuer: https://op.example, clientId: apps, clientSecretFile: secret }
keysFile: ./keys
upstream: http://127.0.0.1:5000`,
      { COATCHECK_STORE_FILE: join(folder, 'store') },
    )
    assert.equal(configuration.provider.clientSecret, 'from a file')
    assert.deepEqual(configuration.keys, [OTHER_KEY, KEY])
    assert.deepEqual(configuration.store, {
      kind: 'redis',
      servers: { ...REDIS, at: { kind: 'single', url: 'redis://:pass@h' } },
      confirmReplicas: undefined,
    })
  })

  it('is told by its file where it cannot be used', () => {
    writeFileSync(join(folder, 'keys'), 'short\n')
    const said = mistakesOf(() => load(MINIMAL.replace(/keys:.*/, 'keysFile: keys'), {}))
    assert.match(said, /keys\[0\] \(.*coatcheck\.yaml:4\): it cannot be used: write a secret of at/)
    assert.doesNotMatch(said, /short/)
  })
})

describe('what is published of the settings', () => {
  it('is the schema for editors, as the gateway has it', () => {
    const published = readFileSync(join(root, 'packages/gateway/schema.json'), 'utf8')
    const advice = 'node packages/gateway/bin/coatcheck.mjs schema > packages/gateway/schema.json'
    assert.deepEqual(JSON.parse(published), jsonSchema(), `Run ${advice}`)
  })

  it('is valid where the pages and the examples show it', () => {
    const page = readFileSync(join(root, 'packages/gateway/README.md'), 'utf8')
    const [whole = '', part = '', ...more] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(
      ([, text]) => text,
    )
    const secrets = {
      COATCHECK_PROVIDER__CLIENT_SECRET: 'secret',
      COATCHECK_KEYS: KEY,
    }
    const shown = whole.replace(/^.*File: .*$/gm, '')
    assert.equal(load(shown, secrets).applications.length, 1)
    assert.equal(load(shown.replace(/^upstream:.*$/m, part), secrets).applications.length, 3)
    // Files of another machine.
    const others = more.map((text = '') =>
      text.replace(/, passwordFile: [^,]*|^.*(File|tls): .*$/gm, ''),
    )
    assert.equal(others.length, 2)
    for (const other of others) load(`${shown}${other}`, secrets)
    const examples = filesUnder('examples/gateway').filter((file) => file.endsWith('.yaml'))
    assert.notEqual(examples.length, 0)
    for (const example of examples) loadConfiguration(join(root, example), {})
  })

  it('describes every setting in it', () => {
    const silent = allSettings().filter(({ schema }) => !schema.description)
    assert.deepEqual(
      silent.map(({ key }) => key),
      [],
    )
  })

  it('is a table of every setting, with its default', () => {
    const page = readFileSync(join(root, 'packages/gateway/README.md'), 'utf8')
    const [, table = ''] = /\| setting \| default \| \|\n(.*?)\n\n/s.exec(page) ?? []
    const rows = [...table.matchAll(/^\| `([^`]+)` \| (.*?) \| (.*) \|$/gm)]
    assert.deepEqual(
      rows.map(([, key, initial, what]) => [key, initial, what]),
      settingRows(),
    )
  })
})

/** The rows of the manual, as the schema has them. */
function settingRows(): string[][] {
  return allSettings().map(({ key, schema: { default: initial, description } }) => [
    key,
    initial === undefined || typeof initial === 'object' ? '' : `\`${initial}\``,
    description ?? '',
  ])
}
