import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { folderFailureText } from '#gateway/command/store-failure'
import { ada, dotnetCache } from '../msal/entries.ts'
import { freePorts } from '../servers/ports.ts'
import { startRedis } from '../servers/redis.ts'
import { type Deployment, deploy, KEY } from './command-line.ts'

const TLS = (name: string): URL => new URL(`../support/tls/localhost.${name}.pem`, import.meta.url)

interface Finding {
  readonly level: string
  readonly about: string
  readonly text: string
}

async function deployed(t: TestContext, store?: string): Promise<Deployment> {
  const at = await deploy(store)
  t.after(at.close)
  return at
}

/** What the doctor finds about this. */
async function found(at: Deployment, about: string): Promise<Finding[]> {
  const { out, err } = await at.run('doctor', '--json')
  assert.equal(err, '')
  const { findings } = JSON.parse(out) as { findings: Finding[] }
  return findings.filter((one) => one.about === about)
}

/** The only thing it finds about this. */
async function only(at: Deployment, about: string): Promise<Finding> {
  const [first, ...more] = await found(at, about)
  assert.ok(first)
  assert.deepEqual(more, [])
  return first
}

describe('a folder as store', () => {
  it('that cannot be made is told by the doctor and at the start, with what to write', async (t) => {
    const at = await deployed(t, './file/sessions')
    writeFileSync(join(at.folder, 'file'), '')
    const { level, text } = await only(at, 'store')
    assert.equal(level, 'problem')
    assert.match(text, /^A file is where .*file\/sessions .*ENOTDIR.*another folder in `store`/)
    for (const command of ['gateway', 'migrate']) {
      const { code, err } = await at.coatcheck(command, '--config', at.file)
      assert.equal(code, 1)
      assert.match(err, /^store: A file is where .*file\/sessions .*another folder in `store`/)
    }
  })

  it('that is a file is told likewise', async (t) => {
    const at = await deployed(t, './file')
    writeFileSync(join(at.folder, 'file'), '')
    const { level, text } = await only(at, 'store')
    assert.deepEqual([level, /EEXIST/.test(text)], ['problem', true], text)
  })

  it('that this user may not write in is told by its name, whether it is there or is to be made', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'coatcheck-unwritable-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const there = join(folder, 'there')
    mkdirSync(there)
    chmodSync(there, 0o555)
    chmodSync(folder, 0o555)
    for (const path of [there, join(folder, 'not-there')]) {
      const { level, text } = unprivileged(path)
      assert.equal(level, 'problem', text)
      assert.equal(text, folderFailureText(path, 'EACCES'))
      assert.ok(text.includes(`may not write in ${path} (EACCES): let it (chown, chmod 700)`))
    }
  })
})

/** What the doctor finds about a store, in a process of a user who owns nothing. */
function unprivileged(path: string): Finding {
  const source = `
    import { examineStore } from ${JSON.stringify(import.meta.resolve('#gateway/command/doctor/store'))}
    import 'lmdb'
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534) }
    const store = { kind: 'lmdb', path: ${JSON.stringify(path)} }
    console.log(JSON.stringify(await examineStore({ store })))`
  const folder = join(import.meta.dirname, '../../packages/gateway')
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', source],
    { cwd: folder, encoding: 'utf8' },
  )
  assert.notEqual(stdout, '', stderr)
  const findings = JSON.parse(stdout) as Finding[]
  const [problem] = findings.filter(({ level }) => level === 'problem')
  assert.ok(problem, stdout)
  return problem
}

describe('a store that was made by other keys', () => {
  it('is no fine store to the doctor, who changes nothing in it, and is told of at the start', async (t) => {
    const at = await deployed(t)
    assert.equal((await only(at, 'store')).level, 'fine')
    const first = await at.gateway()
    await at.signedIn('U1')
    assert.equal((await only(at, 'store')).level, 'fine')
    first.signal('SIGTERM')
    await first.ended
    at.replace(/^keys: .*$/m, `keys: ["another ${KEY}"]`)
    const { level, text } = await only(at, 'keys')
    assert.equal(level, 'problem')
    assert.match(text, /None of `keys` opens this store\. Add the key that was used before/)
    assert.deepEqual(await found(at, 'store'), [])
    const second = await at.gateway()
    await second.logged('store_not_opened')
    assert.match(second.log(), /"store_not_opened","code":"keys_unknown","reason":"None of `keys`/)
    second.signal('SIGTERM')
    await second.ended

    // Looking with a new key beside the old one rotates nothing: with the old one alone it opens.
    at.replace(/^keys: .*$/m, `keys: ["another ${KEY}", "${KEY}"]`)
    assert.equal((await only(at, 'store')).level, 'fine')
    at.replace(/^keys: .*$/m, `keys: ["another ${KEY}"]`)
    assert.equal((await only(at, 'keys')).level, 'problem')
  })
})

describe('a server as store', () => {
  for (const scheme of ['redis', 'postgres']) {
    it(`in ${scheme} that nobody runs is told as such, with its address and without its password`, async (t) => {
      const [port = 0] = await freePorts(1)
      const at = await deployed(t, `${scheme}://someone:hidden@127.0.0.1:${port}`)
      const { level, text } = await only(at, 'store')
      assert.equal(level, 'problem')
      const words = `It cannot be used (ECONNREFUSED): nobody listens there. Look whether 127.0.0.1:${port} in \`store\` is right, and whether it runs.`
      assert.equal(text, words)
      const { err } = await at.run('sessions', 'list', '--subject', 'U1')
      assert.equal(err, `store: ${words} (store_unavailable)\n`)
      if (scheme === 'postgres') assert.equal((await at.run('migrate')).err, `store: ${words}\n`)
    })
  }

  it('that takes connections and says nothing is told as such', async (t) => {
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    t.after(() => silent.close())
    const { port } = silent.address() as { port: number }
    const at = await deployed(t, `redis://127.0.0.1:${port}`)
    const { text } = await only(at, 'store')
    assert.match(text, /\(timeout\): it does not answer: look at firewalls/)
  })

  it('in redis whose certificate is not accepted is told as such, with the setting', async (t) => {
    const [cert, key] = ['crt', 'key'].map((name) => fileURLToPath(TLS(name)))
    const server = createTlsServer({ cert: readFileSync(cert ?? ''), key: readFileSync(key ?? '') })
    server.on('tlsClientError', () => undefined)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const { port } = server.address() as { port: number }
    const at = await deployed(t, `rediss://localhost:${port}`)
    assert.match((await only(at, 'store')).text, /_CERT\): its certificate .*`tls\.ca`/)
    const { err } = await at.run('sessions', 'list', '--subject', 'U1')
    assert.match(err, /^store: .*_CERT\): its certificate .*`tls\.ca`/)
    at.replace(/^store: .*$/m, `store: { url: "rediss://127.0.0.1:${port}", tls: { ca: ${cert} } }`)
    assert.match((await only(at, 'store')).text, /is for another name/)
  })

  it('in redis that is another than what is written is told as such, with the setting', async (t) => {
    const redis = await startRedis()
    t.after(redis.close)
    const where = `127.0.0.1:${redis.port}`
    for (const [store, words] of [
      [`redis://${where}/4711`, /NO_SUCH_DATABASE\): it has no `database` of this number/],
      [`{ cluster: ["${where}"] }`, /NO_CLUSTER\): it is not part of a Cluster: write `url`/],
    ] as const) {
      const at = await deployed(t, store)
      const { level, text } = await only(at, 'store')
      assert.equal(level, 'problem', store)
      assert.match(text, words)
    }
  })
})

describe('an address that is written with https and speaks plain http', () => {
  it('is told as such, and not as a certificate', async (t) => {
    const at = await deployed(t)
    at.replace(/^upstream: http:(.*)$/m, 'upstream: https:$1')
    const { level, text } = await only(at, 'applications (application)')
    assert.equal(level, 'problem')
    assert.match(text, /ERR_SSL_WRONG_VERSION_NUMBER.*plain http: write http:\/\//)
    assert.doesNotMatch(text, /certificate/)
  })
})

describe('the caches of Microsoft’s libraries', () => {
  it('are each asked by the doctor, who says what a sign-out could not see', async (t) => {
    const redis = await startRedis()
    t.after(redis.close)
    await redis.ask('HSET', 'Orders_ada', 'data', dotnetCache(ada))
    const [port = 0] = await freePorts(1)
    const at = await deployed(t)
    at.configure(`msal:
  - { name: orders, url: "${redis.url}", keys: [Orders_*] }
  - { name: typo, url: "${redis.url}", keys: [Order_*] }
  - { name: one, url: "${redis.url}", keys: ["one:{account}"] }
  - { name: gone, url: "redis://:hidden@127.0.0.1:${port}", keys: [Orders_*] }`)
    assert.equal((await only(at, 'msal-orders')).level, 'fine')
    assert.match((await only(at, 'msal-typo')).text, /no entry under `keys`/)
    assert.equal((await only(at, 'msal-one')).level, 'fine')
    const { level, text } = await only(at, 'msal-gone')
    assert.equal(level, 'problem')
    assert.match(text, /ECONNREFUSED.*nobody listens there.*`msal`/)
    assert.equal(text.includes('hidden'), false)
    // Nothing was taken out.
    assert.deepEqual(await redis.ask('KEYS', 'Orders_*'), ['Orders_ada'])

    // What a sign-out says where it could look for nobody.
    at.replace(/^ {2}- \{ name: gone.*$/m, '')
    const gateway = await at.gateway()
    await at.signedIn('U1')
    const { out } = await at.run('sign-out', '--subject', 'U1', '--yes')
    assert.match(
      out,
      /^msal-orders: nobody was looked for there, since no session had .* oid and tid/m,
    )
    assert.doesNotMatch(out, /told/)
    gateway.signal('SIGTERM')
    await gateway.ended
  })
})

describe('check', () => {
  it('says first of all that there is no configuration file', async (t) => {
    const at = await deployed(t)
    const elsewhere = mkdtempSync(join(tmpdir(), 'coatcheck-elsewhere-'))
    t.after(() => rmSync(elsewhere, { recursive: true }))
    const command = join(import.meta.dirname, '../../packages/gateway/bin/coatcheck.mjs')
    const { status, stderr } = spawnSync(process.execPath, [command, 'check'], {
      cwd: elsewhere,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    })
    assert.equal(status, 2)
    assert.match(
      stderr,
      /^There is no coatcheck\.yaml here: name it with --config\.\nThe configuration/,
    )
    assert.equal((await at.run('check')).code, 0)
  })
})
