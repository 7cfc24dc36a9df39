import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { findRemains } from '#coatcheck/testing/remains'
import { type Cluster, startCluster } from '../servers/cluster.ts'
import { freePorts } from '../servers/ports.ts'
import { startReplicated } from '../servers/replicated.ts'
import { startServer } from '../servers/server.ts'
import { until } from '../servers/until.ts'
import { inWorkplace, type Workplace } from '../servers/workplace.ts'
import { type Configured, configured } from './configured.ts'
import { KEY } from './under-test.ts'

const CERTIFICATE = fileURLToPath(new URL('../support/tls/localhost.crt.pem', import.meta.url))
const KEY_FILE = fileURLToPath(new URL('../support/tls/localhost.key.pem', import.meta.url))
const PASSWORD = 'a password for tests'

describe('a gateway whose store is a Redis', () => {
  it('behind Sentinels keeps who is signed in, and out who was signed out, through a failover', async (t) => {
    const redis = await startReplicated()
    t.after(redis.close)
    const at = await configured(
      t,
      `store: { sentinels: [${addresses(redis.sentinels)}], masterName: ${redis.name}, confirmReplicas: 1 }`,
    )
    const [stays, leaves] = [await at.signedIn('U1'), await at.signedIn('U2')]
    const copy = leaves.cookieHeader(at.origin)
    await leaves.post(`${at.origin}/auth/sign-out`)
    await redis.untilSettled()
    await redis.newPrimaryNow(await redis.primary())
    assert.equal((await at.seen(stays))?.['x-forwarded-user'], 'U1')
    const answer = await fetch(at.origin, { headers: { cookie: copy }, redirect: 'manual' })
    assert.equal(answer.status, 401)
    await leavesNothing(at, 'U2')
  })

  it('behind a Sentinel, all of it by TLS and with passwords of the environment', async (t) => {
    const { sentinel, close } = await startSecured()
    t.after(close)
    const at = await configured(
      t,
      `store: { sentinels: ["localhost:${sentinel}"], masterName: main, tls: { ca: ${CERTIFICATE} } }`,
      { COATCHECK_STORE__PASSWORD: PASSWORD, COATCHECK_STORE__SENTINEL_PASSWORD: `${PASSWORD} 2` },
    )
    await signsInAndOut(at)
  })

  it('as a Cluster', async (t) => {
    const cluster = await startCluster()
    t.after(cluster.close)
    const at = await configured(t, `store: { cluster: [${addresses(cluster.rootNodes)}] }`)
    await signsInAndOut(at)
  })

  it('as a Cluster by TLS, with a password in a file', async (t) => {
    const cluster = await startCluster({ args: [...TLS_FILES, ...NAMED_LOCALHOST] })
    t.after(cluster.close)
    const [port] = await secure(cluster)
    const password = join(cluster.nodes[0]?.folder ?? '', 'password')
    writeFileSync(password, `${PASSWORD}\n`)
    const at = await configured(
      t,
      `store: { cluster: ["localhost:${port}"], tls: { ca: ${CERTIFICATE} }, passwordFile: ${password} }`,
    )
    await signsInAndOut(at)
  })

  it('alone, by TLS of an authority of its own, to which the gateway shows a certificate', async (t) => {
    const { redis, close } = await startSecured()
    t.after(close)
    const tls = `{ ca: ${CERTIFICATE}, certificate: ${CERTIFICATE}, key: ${KEY_FILE} }`
    const at = await configured(
      t,
      `store: { url: "rediss://localhost:${redis}", password: ${PASSWORD}, tls: ${tls} }`,
    )
    await signsInAndOut(at)
  })
})

async function signsInAndOut(at: Configured): Promise<void> {
  const browser = await at.signedIn('U1')
  assert.equal((await at.seen(browser))?.['x-forwarded-user'], 'U1')
  await at.provider.endSession(at.provider.sessions[0]?.sid ?? '')
  assert.equal(await at.seen(browser), undefined)
  await leavesNothing(at, 'U1')
}

/** Once the provider has confirmed what is revoked. */
async function leavesNothing({ opened, provider }: Configured, subject: string): Promise<void> {
  await until('nothing is left in the store', async () => {
    const { verdict } = await findRemains({
      contents: opened.contents ?? [],
      keys: [KEY],
      issuer: provider.issuer,
      clientId: 'app',
      identities: [{ subject }],
    })
    return verdict === 'nothing_left'
  })
}

function addresses(all: readonly { readonly host: string; readonly port: number }[]): string {
  return all.map(({ host, port }) => `"${host}:${port}"`).join(', ')
}

const TLS_FILES = [
  ...['--tls-cert-file', CERTIFICATE, '--tls-key-file', KEY_FILE],
  ...['--tls-ca-cert-file', CERTIFICATE, '--tls-auth-clients', 'optional'],
]
/** The certificate is for a name, so that is what clients have to be told. */
const NAMED_LOCALHOST = [
  ...['--cluster-announce-hostname', 'localhost'],
  ...['--cluster-preferred-endpoint-type', 'hostname'],
]

/** Has a Cluster speak TLS on further ports, which are what it tells clients, and ask for a password. */
async function secure({ nodes }: Cluster): Promise<number[]> {
  const ports = await freePorts(nodes.length)
  for (const [at, node] of nodes.entries()) {
    await node.ask('CONFIG', 'SET', 'tls-port', `${ports[at]}`)
    await node.ask('CONFIG', 'SET', 'cluster-announce-port', `${ports[at]}`)
  }
  await until('every node tells the ports of all', async () => {
    const told = await Promise.all(nodes.map((node) => node.ask('CLUSTER', 'SLOTS')))
    return told.every((slots) => ports.every((port) => JSON.stringify(slots).includes(`${port}`)))
  })
  for (const node of nodes) await node.ask('CONFIG', 'SET', 'requirepass', PASSWORD)
  return ports
}

/** A Redis and its Sentinel, both by TLS and with passwords only. */
function startSecured() {
  return inWorkplace(async (workplace) => {
    const [redis = 0, sentinel = 0] = await freePorts(2)
    const common = ['--port', '0', '--bind', '127.0.0.1', '--dir', workplace.folder]
    const start = (name: string, port: number, password: string, args: readonly string[]) =>
      startTls(workplace, name, port, password, [...args, ...common, ...TLS_FILES])
    await start('redis', redis, PASSWORD, ['--save', '', '--tls-port', `${redis}`])
    const file = join(workplace.folder, 'sentinel.conf')
    const lines = [
      'sentinel resolve-hostnames yes',
      'sentinel announce-hostnames yes',
      `sentinel monitor main localhost ${redis} 1`,
      `sentinel auth-pass main "${PASSWORD}"`,
      'tls-replication yes',
    ]
    writeFileSync(file, lines.join('\n'), { mode: 0o666 })
    const args = [file, '--sentinel', '--tls-port', `${sentinel}`]
    await start('sentinel', sentinel, `${PASSWORD} 2`, args)
    return { redis, sentinel }
  })
}

async function startTls(
  workplace: Workplace,
  name: string,
  port: number,
  password: string,
  args: readonly string[],
): Promise<void> {
  await startServer({
    name,
    port,
    program: 'redis-server',
    args: [...args, '--requirepass', password],
    workplace,
    stop: 'SIGTERM',
    async answers() {
      const client = new Redis(port, 'localhost', {
        password,
        tls: { rejectUnauthorized: false },
        lazyConnect: true,
        retryStrategy: () => null,
      })
      client.on('error', () => {})
      try {
        await client.connect()
        return (await client.ping()) === 'PONG'
      } finally {
        client.disconnect()
      }
    },
  })
}
